"""The way of a clean-up through the people, in a word each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.changes.apply import apply_change, apply_queued
from launchplane.changes.approvals import approve
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.planning import plan_change
from launchplane.changes.requests import find_change, request_change
from launchplane.changes.standing import Caps, grant, request_standing
from launchplane.hosts.models import Host
from launchplane.schedule import jobs

PLENTY = Caps(items_per_run=500, items_per_day=5000, bytes_per_run=10**12, bytes_per_day=10**13)

DANGLING, RETIRE = "hygiene.dangling", "hygiene.retire"
BUILD_CACHE, AGED = "hygiene.build-cache", "hygiene.aged"


def person(user: User) -> Principal:
    return Principal.person(user, source="web")


def planned(kind: str, host: Host, operator: User, **asked: Any) -> Change:
    return plan_change(kind, host, by=person(operator), **asked)


def approved(kind: str, host: Host, operator: User, approver: User, *, phrase: str = "", **asked: Any) -> Change:
    """A change that was asked for and approved, and not applied yet."""
    change = planned(kind, host, operator, **asked)
    assert change.status == Change.Status.PLANNED, change.planned().blockers
    change = request_change(change, by=person(operator), reason="disk is full")
    approve(
        change,
        by=person(approver),
        digest=change.digest,
        reason="looked at it",
        password_at=timezone.now(),
        phrase=phrase,
    )
    return find_change(change.pk)


def applied(
    kind: str,
    host: Host,
    operator: User,
    approver: User,
    *,
    meanwhile: Callable[[], object] = lambda: None,
    phrase: str = "",
    **asked: Any,
) -> Change:
    """A change all the way; `meanwhile` happens between its approval and its application."""
    change = approved(kind, host, operator, approver, phrase=phrase, **asked)
    meanwhile()
    return apply_change(change, by=person(operator))


def standing(kind: str, host: Host, operator: User, approver: User, caps: Caps = PLENTY) -> StandingApproval:
    """A standing approval that is in force."""
    expires_at = timezone.now() + timedelta(days=30)
    row = request_standing(kind, host, by=person(operator), reason="routine", caps=caps, expires_at=expires_at)
    return grant(row, by=person(approver), digest=row.bounds_digest, reason="fine", password_at=timezone.now())


def scheduled(kind: str, host: Host) -> str:
    """What the schedule's row says of one run; what it queued is carried out."""
    job = jobs.find(kind)
    assert job is not None
    said = job.run(host)
    for change in Change.objects.filter(status=Change.Status.APPROVED):
        apply_queued(str(change.pk))
    return said


def outcomes(change: Change) -> list[str]:
    return list(change.steps.order_by("position").values_list("outcome", flat=True))


def phase_one_done(host: Host) -> None:
    """A build cache clean-up was completed on `host`: it did what it was to do, and left evidence."""
    now = timezone.now()
    change = Change.objects.create(
        kind=BUILD_CACHE,
        host=host,
        plan="{}",
        digest="0" * 64,
        status=Change.Status.COMPLETED,
        requester_name="a test",
        planned_at=now,
        ended_at=now,
        after="{}",
    )
    change.steps.create(position=1, verb="prune-build-cache", outcome="done", intent_at=now, finished_at=now)
