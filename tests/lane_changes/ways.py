"""The way of a lane's change through the people, in a word each."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from audits.models import AuditRecord
from lanes.kinds import kind_called_for
from launchplane.access.models import User
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.recover import recover
from launchplane.changes.requests import find_change
from tests.hygiene_changes import ways
from tests.lane_changes.place import Place
from tests.lanes.scenes import LANE


@dataclass(frozen=True)
class People:
    """Who asks, and who approves."""

    operator: User
    approver: User


def planned(kind: str, place: Place, people: People) -> Change:
    return ways.planned(kind, place.lane.host, people.operator, lane=LANE)


def approved(kind: str, place: Place, people: People) -> Change:
    """A change that was asked for and approved, and not applied yet."""
    action = kind.removeprefix("lane.")
    phrase = "" if action == "restart" else f"{action} {LANE}"
    return ways.approved(kind, place.lane.host, people.operator, people.approver, phrase=phrase, lane=LANE)


def applied(kind: str, place: Place, people: People, *, meanwhile: Callable[[], object] = lambda: None) -> Change:
    """A change all the way; `meanwhile` happens between its approval and its application."""
    change = approved(kind, place, people)
    meanwhile()
    return again(change, people)


def again(change: Change, people: People) -> Change:
    """Try to apply an approved change."""
    return apply_change(change, by=ways.person(people.operator))


def outcomes(change: Change) -> dict[str, str]:
    """What became of each step, by its verb."""
    return dict(change.steps.order_by("position").values_list("verb", "outcome"))


def detail(change: Change, verb: str) -> str:
    return change.steps.filter(verb=verb).order_by("-position")[0].detail


def evidence(change: Change, verb: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(change.steps.filter(verb=verb).order_by("-position")[0].evidence)
    return found


def told(change: Change) -> list[tuple[str, str, str]]:
    """Kind, status and lane of every audit record of a change, in order."""
    rows = AuditRecord.objects.filter(key=str(change.pk)).order_by("seq")
    return list(rows.values_list("kind", "status", "lane"))


def last_record(change: Change) -> dict[str, Any]:
    """The payload of the newest record of a change."""
    payload: dict[str, Any] = json.loads(AuditRecord.objects.filter(key=str(change.pk)).latest("seq").payload)
    return payload


def recovered(change: Change) -> Change:
    """Recovery has looked, and it was its time to."""
    Change.objects.filter(pk=change.pk).update(next_try_at=timezone.now())
    recover()
    return find_change(change.pk)


def elsewhere(action: Callable[[], object]) -> Callable[[], None]:
    """`action` for another thread, with a connection of its own: only for tests whose transactions are committed."""

    def act() -> None:
        try:
            action()
        finally:
            connection.close()

    return act


def finished(place: Place, people: People) -> Change:
    """Whatever the lane needs now, asked for, approved and applied."""
    place.lane.refresh_from_db()
    return applied(kind_called_for(place.lane), place, people)
