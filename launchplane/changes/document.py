"""A change as programs see it: `changes show`, `hygiene plan` and the API give this one document."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audits import outside
from audits.models import AuditRecord
from launchplane.changes.contracts import Blocker, Boundary, DeclaredCall, Gate, Json, PlannedStep
from launchplane.changes.kinds import kind_named
from launchplane.changes.models import Change
from launchplane.hosts.contracts import Contract


class StepDocument(PlannedStep):
    """A planned item and what became of it."""

    begun_at: datetime | None
    outcome: str
    detail: str
    freed_bytes: int | None


class ApprovalDocument(Contract):
    """Who said yes, why, and whether it still holds."""

    approver: str
    reason: str
    granted_at: datetime
    expires_at: datetime
    consumed_at: datetime | None
    revoked_at: datetime | None
    revoked_why: str
    self_approved: bool


class NotificationDocument(Contract):
    """Whether people were told of something: `told` counts, `failed` says what did not get through."""

    event: str
    at: datetime
    sent_at: datetime | None
    told: int
    failed: str


class ChangeSummary(Contract):
    """One line of a list of changes."""

    id: str
    kind: str
    host: str
    subject: str
    status: str
    why_closed: str
    digest: str
    requester: str
    reason: str
    planned_at: datetime
    deadline: datetime | None
    sentence: str


class ChangeDocument(Contract):
    """Everything there is to know about one change. What is not known is null."""

    id: str
    kind: str
    host: str
    subject: str
    title: str
    status: str
    why_closed: str
    sentence: str
    plan_status: str
    digest: str
    requester: str
    reason: str
    deadline: datetime | None
    next_try_at: datetime | None
    planned_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    steps: tuple[StepDocument, ...]
    blockers: tuple[Blocker, ...]
    gates: tuple[Gate, ...]
    next_steps: tuple[str, ...]
    protections: tuple[str, ...]
    bounds: Mapping[str, Json]
    boundary: Boundary
    declared_calls: tuple[DeclaredCall, ...]
    predicted_bytes: int | None
    actual_bytes: int | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    approvals: tuple[ApprovalDocument, ...]
    standing_approval: int | None
    self_approved: bool
    notifications: tuple[NotificationDocument, ...]
    audit_seqs: tuple[int, ...]


class LaneChangeDocument(ChangeDocument):
    """A change of a lane: what is called for (null while it is blocked), what was there, and wanted against seen."""

    action: str | None
    shape: str
    condition: str
    desired: Mapping[str, Json]
    observed: Mapping[str, Json]


def summary(change: Change) -> ChangeSummary:
    """`change` in a line; its plan is not read."""
    return ChangeSummary(
        id=str(change.pk),
        kind=change.kind,
        host=change.host.name,
        subject=change.subject,
        status=change.status,
        why_closed=change.why_closed,
        digest=change.digest,
        requester=change.requester_name,
        reason=change.reason,
        planned_at=change.planned_at,
        deadline=change.deadline,
        sentence=change.sentence,
    )


def document(change: Change) -> ChangeDocument:
    """The document of `change`, of a lane with what only lanes have. Read with a constant number of queries."""
    kind, shown = kind_named(change.kind), _document(change)
    if kind is None or not kind.subject_is_lane:
        return shown
    more = set(LaneChangeDocument.model_fields) - set(ChangeDocument.model_fields)
    facts = change.planned().facts
    return LaneChangeDocument.model_validate(shown.model_dump() | {name: facts[name] for name in more})


def _document(change: Change) -> ChangeDocument:
    plan = change.planned()
    rows = {row.position: row for row in change.steps.all()}
    approvals = tuple(
        ApprovalDocument(
            approver=row.approver_name,
            reason=row.reason,
            granted_at=row.granted_at,
            expires_at=row.expires_at,
            consumed_at=row.consumed_at,
            revoked_at=row.revoked_at,
            revoked_why=row.revoked_why,
            self_approved=row.self_approved,
        )
        for row in change.approvals.all()
    )
    steps = tuple(
        StepDocument(
            **step.model_dump(),
            begun_at=rows[step.position].intent_at,
            outcome=rows[step.position].outcome,
            detail=rows[step.position].detail,
            freed_bytes=rows[step.position].freed_bytes,
        )
        for step in plan.steps
    )
    return ChangeDocument(
        id=str(change.pk),
        kind=change.kind,
        host=change.host.name,
        subject=change.subject,
        title=plan.title,
        status=change.status,
        why_closed=change.why_closed,
        sentence=change.sentence,
        plan_status=plan.status,
        digest=change.digest,
        requester=change.requester_name,
        reason=change.reason,
        deadline=change.deadline,
        next_try_at=change.next_try_at,
        planned_at=change.planned_at,
        started_at=change.started_at,
        ended_at=change.ended_at,
        steps=steps,
        blockers=plan.blockers,
        gates=tuple(Gate.model_validate(gate) for gate in json.loads(change.gates)),
        next_steps=plan.next_steps,
        protections=plan.protections,
        bounds=plan.bounds,
        boundary=plan.boundary,
        declared_calls=plan.boundary.calls,
        predicted_bytes=change.predicted_bytes,
        actual_bytes=change.actual_bytes,
        before=json.loads(change.before) if change.before else None,
        after=json.loads(change.after) if change.after else None,
        approvals=approvals,
        standing_approval=change.standing_id,
        self_approved=is_self_approved(change),
        notifications=tuple(
            NotificationDocument(event=row.event, at=row.at, sent_at=row.sent_at, told=row.told, failed=row.failed)
            for row in change.notifications.all()
        ),
        audit_seqs=_audit_seqs(str(change.pk)),
    )


def _audit_seqs(key: str) -> tuple[int, ...]:
    """Our own records of that key; what came from outside may have any."""
    own = AuditRecord.objects.filter(key=key).exclude(kind__in=outside.KINDS)
    return tuple(own.order_by("seq").values_list("seq", flat=True))


def is_self_approved(change: Change) -> bool:
    """Whether one person both asked and approved, in solo mode: every page and record says so."""
    own = any(row.self_approved for row in change.approvals.all() if row.revoked_at is None)
    return own or (change.standing is not None and change.standing.self_approved)
