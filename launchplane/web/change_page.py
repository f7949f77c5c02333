"""What the page of a change shows: the plan in the order that matters to who decides, and what became of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from audits import outside
from audits.models import AuditRecord
from hygiene.models import Regret
from launchplane.access.models import User
from launchplane.changes.apply_now import is_handed_over
from launchplane.changes.contracts import Gate, Plan, PlannedStep
from launchplane.changes.document import is_self_approved
from launchplane.changes.kinds import ChangeKind
from launchplane.changes.models import Approval, Change, Step
from launchplane.changes.models.change import Status
from launchplane.problems import Problem
from launchplane.web.compare import NO_DIFFERENCE, FactDifference, PlanDifference, compare_facts, compare_plans
from launchplane.web.lane_change import LaneChange, lane_change, without_proofs
from launchplane.web.lane_gates import gates_last_seen
from launchplane.web.offers import Offers, offers
from launchplane.words import human_milliseconds

GROUPS = (
    ("no", "Cannot be undone"),
    ("unknown", "May not come back"),
    ("yes", "Can be got again"),
)
LANE_GROUPS = (("no", "Cannot be undone"), ("unknown", "May not come back"), ("yes", "Can be undone"))
LIVE = (Status.APPROVED, Status.APPLYING)
FINAL = (Status.COMPLETED, Status.FAILED, Status.CLOSED)
GATES_ARE_READ = (Status.PLANNED, Status.AWAITING_APPROVAL)


@dataclass(frozen=True, slots=True)
class StepLine:
    """A planned item and what became of it."""

    planned: PlannedStep
    row: Step | None

    @property
    def why(self) -> str:
        return str(self.planned.undo.get("why") or "")

    @property
    def afterwards(self) -> str:
        """Whether and how it can be got back, in words."""
        return str(self.planned.undo.get("in_words") or "")

    @property
    def regret(self) -> Regret | None:
        """That it was there again soon afterwards; None if nobody saw it again."""
        return getattr(self.row, "regret", None)


@dataclass(frozen=True, slots=True)
class GatesShown:
    """The gates, when they were read, and why there are none if they could not be."""

    gates: tuple[Gate, ...] = ()
    read_now: bool = False
    problem: str = ""
    waived: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Event:
    """One audit record of this change, as a line of its history."""

    seq: int
    at: datetime
    actor: str
    words: str
    why: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: how many items have an outcome, which is in hand, and what came of the last ones."""

    done: int
    total: int
    in_hand: Step | None
    last: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change with everything its page needs, read with a constant number of queries."""

    change: Change
    plan: Plan
    kind: ChangeKind | None
    groups: tuple[tuple[str, tuple[StepLine, ...]], ...]
    approvals: tuple[Approval, ...]
    gates: GatesShown
    offers: Offers
    nothing_to_do: str | None
    phrase: str | None
    history: tuple[Event, ...]
    previous: Change | None
    difference: PlanDifference | None
    progress: Progress
    facts: FactDifference
    missing: tuple[str, ...]
    lane: LaneChange | None

    @property
    def is_live(self) -> bool:
        return self.change.status in LIVE

    @property
    def is_final(self) -> bool:
        return self.change.status in FINAL

    @property
    def has_begun(self) -> bool:
        """Whether any item may have been touched."""
        return any(line.row and line.row.intent_at for _, lines in self.groups for line in lines)

    @property
    def approval(self) -> Approval | None:
        """The approval that holds, or that was used."""
        return next((row for row in self.approvals if row.revoked_at is None), None)

    @property
    def self_approved(self) -> bool:
        return is_self_approved(self.change)

    @property
    def claimed_bytes(self) -> int | None:
        """The sum of the items' own sizes, which is what Docker would claim; None as soon as one is not known."""
        sizes = [_size_of(step) for step in self.plan.steps]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None

    @property
    def took(self) -> str | None:
        """How long the run was, in words."""
        begun, ended = self.change.started_at, self.change.ended_at
        return human_milliseconds((ended - begun) // timedelta(milliseconds=1)) if begun and ended else None

    @property
    def can_be_got_again(self) -> int:
        return sum(step.reversible == "yes" for step in self.plan.steps)


def waits(change: Change) -> bool:
    """Whether it is approved and no worker's turn: for somebody's word, or for its next try."""
    return change.status == Status.APPROVED and not is_handed_over(change)


def stamp(change: Change, *, waits: bool) -> str:
    """What the page shows of how it stands: when this is another, its forms are others too."""
    return f"{change.status}-waits" if waits else change.status


def view_of(change: Change, user: User) -> ChangeView:
    """Everything about `change`, for `user`. Looks at no host; gates are read from what was last seen there."""
    plan, kind = change.planned(), change.change_kind()
    rows = list(change.steps.select_related("regret"))
    before, after = _evidence(change.before), _evidence(change.after)
    previous = _previous(change, kind)
    nothing = kind.nothing_to_do(plan) if kind and not plan.blockers else None
    return ChangeView(
        change=change,
        plan=plan,
        kind=kind,
        groups=grouped(plan, rows, LANE_GROUPS if kind and kind.subject_is_lane else GROUPS),
        approvals=tuple(change.approvals.all()),
        gates=_gates(change, kind, plan),
        offers=offers(change, kind, user, nothing_to_do=nothing),
        nothing_to_do=nothing,
        phrase=kind.phrase(plan) if kind else None,
        history=history(str(change.pk)),
        previous=previous,
        difference=compare_plans(previous.planned(), plan) if previous else None,
        progress=progress_of(rows),
        facts=compare_facts(without_proofs(before["facts"]), without_proofs(after["facts"]))
        if before and after
        else NO_DIFFERENCE,
        missing=tuple(after["missing"]) if after else (),
        lane=lane_change(change, kind, plan, before, after),
    )


def grouped(
    plan: Plan, rows: Sequence[Step], groups: Sequence[tuple[str, str]] = GROUPS
) -> tuple[tuple[str, tuple[StepLine, ...]], ...]:
    """The steps by how destructive they are, the worst first; in each group in the order they are taken."""
    by_position = {row.position: row for row in rows}
    lines = [StepLine(step, by_position.get(step.position)) for step in plan.steps]
    found = ((title, tuple(line for line in lines if line.planned.reversible == word)) for word, title in groups)
    return tuple((title, group) for title, group in found if group)


def progress_of(rows: Sequence[Step]) -> Progress:
    """How far the items are."""
    ended = [row for row in rows if row.outcome]
    in_hand = next((row for row in rows if row.intent_at and not row.outcome), None)
    return Progress(len(ended), len(rows), in_hand, tuple(reversed(ended[-5:])))


def history(key: str) -> tuple[Event, ...]:
    """What the audit holds under `key` of our own, the newest first."""
    records = AuditRecord.objects.filter(key=key).exclude(kind__in=outside.KINDS).order_by("-seq")
    return tuple(_event(row) for row in records.only("seq", "at", "actor_name", "kind", "status", "payload"))


ABOUT = {
    "planned": "planned it",
    "requested": "asked for approval",
    "approved": "approved it",
    "rejected": "rejected it",
    "revoked": "took the approval back",
    "cancelled": "cancelled it",
    "superseded": "replaced it by a newer plan",
    "expired": "closed it: nobody acted in time",
    "ordered": "had it applied now",
    "applying": "began to apply it",
    "deferred": "put it off, nothing was done",
    "stale": "closed it, nothing was done: the host has changed",
    "in_doubt": "marked it as in doubt",
    "ended": "ended the run",
    "granted": "granted it",
    "resumed": "resumed it",
    "suspended": "suspended it",
    "voided": "ended it: a bound was loosened",
    "replaced": "ended it: replaced by a newer one",
}


def _event(row: AuditRecord) -> Event:
    payload: dict[str, Any] = json.loads(row.payload)
    about = str(payload.get("about") or row.kind.rpartition(".")[2])
    words = f"was refused: {payload.get('wanted', '')}" if about == "denied" else ABOUT.get(about, about)
    why = str(payload.get("reason") or payload.get("why") or " ".join(payload.get("failures") or ()))
    return Event(row.seq, row.at, row.actor_name, words, why, failed=row.status == "failed")


def _gates(change: Change, kind: ChangeKind | None, plan: Plan) -> GatesShown:
    """Those that the last attempt to apply it read; before one, as they are by what was last seen of the host."""
    waived = kind.routine_gates if kind and change.standing_id is None else frozenset()
    stored = tuple(Gate.model_validate(gate) for gate in json.loads(change.gates))
    if stored or kind is None or change.status not in GATES_ARE_READ:
        return GatesShown(stored, waived=waived)
    try:
        read = gates_last_seen(change.host, plan) if kind.subject_is_lane else kind.start(change.host, plan).gates()
        return GatesShown(read, read_now=True, waived=waived)
    except Problem as problem:
        return GatesShown(problem=problem.sentence)


def _previous(change: Change, kind: ChangeKind | None) -> Change | None:
    """The last change of this kind on this host that somebody had approved before this one was planned.

    Of a lane's it is the last one of that lane: another lane's plan has nothing in common with it.
    """
    same = Change.objects.filter(host=change.host_id, kind=change.kind, planned_at__lt=change.planned_at)
    if kind is not None and kind.subject_is_lane:
        same = same.filter(subject=change.subject)
    by_people = Q(approvals__isnull=False, approvals__revoked_at=None)
    return same.filter(by_people | Q(standing__isnull=False)).exclude(pk=change.pk).order_by("-planned_at").first()


def _evidence(text: str) -> dict[str, Any] | None:
    return json.loads(text) if text else None


def _size_of(step: PlannedStep) -> int | None:
    size = step.expected.get("size_bytes", step.undo.get("size_bytes"))
    return size if isinstance(size, int) else None
