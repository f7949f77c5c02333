"""What the audit is told of a change. The last statement of the transaction that it tells of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import transaction

from audits import record
from audits.models import AuditRecord
from launchplane.access import tries
from launchplane.access.people import Principal
from launchplane.changes.models.change import Change, Status
from launchplane.hosts.models import Host
from launchplane.problems import Problem

AuditStatus = Literal["planned", "completed", "failed", "skipped"]


@dataclass(slots=True)
class Telling:
    """One record to be: `about` is what happened (such as `approved`), `payload` may be filled until it is told.

    `of_kind` names the change's own kind in the record instead: a plan, or the start and the end of a run.
    """

    about: str
    status: AuditStatus = "completed"
    payload: dict[str, Any] = field(default_factory=dict)
    of_kind: bool = False
    told: AuditRecord | None = None


def tell(change: Change, telling: Telling, *, by: Principal, moved: tuple[Status, Status] | None = None) -> None:
    """Append the record of one thing that happened to `change`. Raises AuditRefused."""
    telling.told = record.append(
        kind=change.kind if telling.of_kind else f"change.{telling.about}",
        key=str(change.pk),
        status=telling.status,
        payload=_common(change, moved) | {"about": telling.about} | telling.payload,
        actor=by.actor(),
        source=by.source,
        host=change.host.name,
        lane=_lane(change),
    )


def tell_of_host(
    about: str,
    host: Host | None,
    *,
    by: Principal,
    key: str,
    payload: Mapping[str, Any],
    status: AuditStatus = "completed",
) -> None:
    """Append the record of something that is no change's: a freeze, a standing approval."""
    record.append(
        kind=about,
        key=key,
        status=status,
        payload=payload,
        actor=by.actor(),
        source=by.source,
        host=host.name if host else "",
    )


def deny(change: Change, problem: Problem, *, by: Principal, wanted: str) -> Problem:
    """Record that something was refused, in a transaction of its own, and give the problem back to be raised.

    So many an hour for one person and what they wanted (`access.tries`); the last one says that more are not told.
    """
    if (counted := tries.refusal(by, f"change {wanted}")) is not None:
        payload = {"wanted": wanted, "code": problem.code, "why": problem.sentence, **counted}
        with transaction.atomic(durable=True):
            tell(change, Telling("denied", "failed", payload), by=by)
    return problem


def deny_of_host(
    about: str,
    host: Host | None,
    problem: Problem,
    *,
    by: Principal,
    key: str,
    wanted: str,
    more: Mapping[str, Any] | None = None,
) -> Problem:
    """`deny` for what is no change's: `about` is the kind of the record."""
    if (counted := tries.refusal(by, f"{about} {wanted}")) is not None:
        payload = {"wanted": wanted, "code": problem.code, "why": problem.sentence, **(more or {}), **counted}
        with transaction.atomic(durable=True):
            tell_of_host(about, host, by=by, key=key, payload=payload, status="failed")
    return problem


def _lane(change: Change) -> str:
    kind = change.change_kind()
    return change.subject if kind is not None and kind.subject_is_lane else ""


def _common(change: Change, moved: tuple[Status, Status] | None) -> dict[str, Any]:
    common: dict[str, Any] = {
        "change": str(change.pk),
        "kind": change.kind,
        "subject": change.subject,
        "digest": change.digest,
        "requester": change.requester_name,
    }
    if moved:
        common |= {"from": str(moved[0]), "to": str(moved[1])}
    if change.approvals.filter(revoked_at=None, self_approved=True).exists():
        common["self_approved"] = True
    if change.standing is not None and change.standing.self_approved:
        common["self_approved"] = True
    return common
