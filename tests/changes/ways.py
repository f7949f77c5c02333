"""The ways of a change, in one word each: what the tests of everything behind them begin with."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.changes.approvals import approve
from launchplane.changes.models import Approval, Change, StandingApproval
from launchplane.changes.planning import plan_change
from launchplane.changes.requests import find_change, request_change
from launchplane.changes.standing import Caps, grant, request_standing
from launchplane.hosts.models import Host
from tests.changes import toy

PLENTY = Caps(items_per_run=100, items_per_day=1000, bytes_per_run=10**6, bytes_per_day=10**7)


def a_folder_host(folder: Path, name: str = "chris-testing", *, files: int = 3) -> Host:
    folder.mkdir()
    (folder / "warm").write_text("must stay")
    for number in range(1, files + 1):
        (folder / f"rubbish-{number}").write_text(f"rubbish {number}\n")
    return Host.objects.create(name=name, engine_id=f"ENGINE:{name}", docker_root=str(folder), approved=True)


def person(user: User) -> Principal:
    return Principal.person(user, source="web")


def planned(host: Host, by: User, **asked: Any) -> Change:
    return plan_change(toy.ONCE, host, by=person(by), **asked)


def requested(host: Host, by: User, **asked: Any) -> Change:
    return request_change(planned(host, by, **asked), by=person(by), reason="disk is full")


def decided(change: Change, by: User, **different: Any) -> Approval:
    """`by` approves, in order unless `different` says otherwise."""
    said: dict[str, Any] = {
        "digest": change.digest,
        "reason": "looked at it",
        "password_at": timezone.now(),
    } | different
    return approve(change, by=person(by), **said)


def approved(host: Host, operator: User, approver: User, **asked: Any) -> Change:
    change = requested(host, operator, **asked)
    decided(change, approver)
    return find_change(change.pk)


def standing_request(host: Host, operator: User, caps: Caps = PLENTY) -> StandingApproval:
    return request_standing(
        toy.ROUTINE,
        host,
        by=person(operator),
        reason="every half hour",
        caps=caps,
        expires_at=timezone.now() + timedelta(days=90),
    )


def granted(row: StandingApproval, approver: User, **different: Any) -> StandingApproval:
    said: dict[str, Any] = {
        "digest": row.bounds_digest,
        "reason": "within bounds",
        "password_at": timezone.now(),
    } | different
    return grant(row, by=person(approver), **said)


def told(change: Change) -> list[tuple[str, str]]:
    """Kind and status of every audit record of a change, in order."""
    return list(AuditRecord.objects.filter(key=str(change.pk)).order_by("seq").values_list("kind", "status"))


def outcomes(change: Change) -> list[str]:
    return list(change.steps.order_by("position").values_list("outcome", flat=True))


def names(host: Host) -> list[str]:
    return [path.name for path in toy.rubbish(host)]
