"""Whoever asks for something, decides or acts: a person, or a program that people are responsible for."""

from __future__ import annotations

from dataclasses import dataclass

from audits.contracts import Actor
from launchplane.access.models import User


@dataclass(frozen=True, slots=True)
class Principal:
    """`user` is the account behind it, if there is one; `responsible` are all who must not approve its wishes.

    `source` says through which door it came: web, command, api, schedule, worker.
    """

    id: str
    name: str
    source: str
    user: User | None = None
    responsible: tuple[User, ...] = ()

    @classmethod
    def person(cls, user: User, *, source: str) -> Principal:
        """Somebody who has authenticated."""
        return cls(id=f"user:{user.pk}", name=user.get_username(), source=source, user=user, responsible=(user,))

    def actor(self) -> Actor:
        """As audit records name it."""
        return Actor(id=self.id, name=self.name, responsible=tuple(user.get_username() for user in self.responsible))


NOBODY = Principal(id="nobody", name="nobody", source="system")
SCHEDULE = Principal(id="schedule", name="the schedule", source="schedule")
# makes the first accounts when there is nobody who could
FIRST_START = Principal(id="first-start", name="the first start", source="system")
WORKER = Principal(id="worker", name="a worker", source="worker")
