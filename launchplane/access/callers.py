"""Whoever calls `/v1`: what they may do there, and to which hosts. Every route asks here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from launchplane.access.actions import RIGHTS, Action
from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.access.rights import visible
from launchplane.problems import Refused

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Caller:
    """A person in a session, the owner of a token through it, or a trusted workflow.

    `identity` stays the same for all calls of one of them, such as `token-7`. `granted` and `host_ids` are what a token
    or a workflow was given, None for all that there is; the rights of the person behind it, if there is one, bound
    both.
    """

    principal: Principal
    identity: str
    granted: frozenset[Action] | None = None
    host_ids: frozenset[int] | None = None

    @classmethod
    def in_session(cls, user: User) -> Caller:
        """A person in a browser session."""
        return cls(Principal.person(user, source="api"), identity=f"user:{user.pk}")

    def require(self, action: Action) -> None:
        """Raises Refused `not_granted` unless this caller may do such a thing at all, to whichever host."""
        user, general = self.principal.user, RIGHTS[action].general
        if self.granted is not None and action not in self.granted:
            raise Refused("not_granted", f"This identity was not granted {action}. An administrator can grant it.")
        if user is not None and general and not user.has_perm(general):
            raise Refused("not_granted", f"This needs the right {general}. An administrator can give it.")

    def hosts(self, action: Action, among: QuerySet[M]) -> QuerySet[M]:
        """Those of the hosts `among` that it may do `action` to; none of them if it may not do that at all."""
        if self.granted is not None and action not in self.granted:
            return among.none()
        if self.host_ids is not None:
            among = among.filter(pk__in=self.host_ids)
        user = self.principal.user
        return among if user is None else visible(user, RIGHTS[action].on_host, among)

    def does_to_every_host(self, action: Action) -> bool:
        """Whether it may do `action` to all hosts that there are, were and will be."""
        if self.host_ids is not None or (self.granted is not None and action not in self.granted):
            return False
        user = self.principal.user
        return user is None or user.has_perm(RIGHTS[action].on_host)


def caller_of(request: HttpRequest) -> Caller:
    """Whoever was let in by the API's doors. Raises LookupError where there was none, which is a mistake of ours."""
    caller = getattr(request, "auth", None)
    if not isinstance(caller, Caller):
        raise LookupError("no caller was let in")
    return caller
