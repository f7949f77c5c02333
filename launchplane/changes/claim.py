"""The claim: one transaction makes one worker the one that applies a change, and uses up the approval."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audits import segments
from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.changes import eyes, freeze, lock, marks, obstacles, records, restored, standing, states
from launchplane.changes.approvals import withdraw
from launchplane.changes.contracts import Plan
from launchplane.changes.digest import is_unaltered
from launchplane.changes.kinds import ChangeKind
from launchplane.changes.models import Approval, Change
from launchplane.changes.models.change import Status, Why
from launchplane.changes.planning import known_kind
from launchplane.problems import Refused, Waits


@dataclass(frozen=True, slots=True)
class Claim:
    """A change that is ours to apply, as long as its fencing token is the one we got."""

    change: Change
    plan: Plan
    kind: ChangeKind
    token: int
    by: Principal
    planned: AuditRecord

    @property
    def waived(self) -> frozenset[str]:
        """The gates that do not apply, since people asked for this once."""
        return obstacles.waived(self.kind, self.change)

    def still_mine(self) -> bool:
        """Whether nobody took the change from us, asked of the database."""
        return marks.is_ours(self.change, self.token)

    def rows(self) -> QuerySet[Change]:
        """The change's row, as long as it is ours."""
        return Change.objects.filter(pk=self.change.pk, status=Status.APPLYING, fencing_token=self.token)


class Evaporated(Refused):
    """The approval does not hold any more. The change was moved on already, and says why."""


def claim(change: Change, *, by: Principal) -> Claim:
    """Make `change` ours. The host's lock is held by the caller.

    Raises Waits for what may pass by itself (nothing was changed), Refused or Evaporated for what does not, and
    AuditRefused if it could not be recorded, or if the evidence store is ahead of the database.
    """
    kind = known_kind(change.kind)
    if change.status != Status.APPROVED:
        raise Refused("not_approved", f"Only an approved change is applied; this one is {change.get_status_display()}.")
    _require_the_plan(change, by)
    _require_unbegun(change, by)
    _require_free(change)
    plan = change.planned()
    restored.require_no_restore()
    obstacles.require_gone(change, plan, kind)
    told = records.Telling(
        "applying", "planned", {"mode": "apply", "predicted_bytes": change.predicted_bytes}, of_kind=True
    )
    try:
        token = _take(change, by, told)
    except standing.DoesNotCover as problem:
        _close(change, by, "not_covered", problem.sentence, Why.CANCELLED)
        raise Evaporated(problem.code, problem.sentence) from problem
    except Evaporated as problem:
        withdraw(change, by=by, why=problem.sentence)
        raise
    except IntegrityError as error:
        raise lock.HostBusy("host_busy", f"Another change holds {change.host.name}. This waits for it.") from error
    if told.told is None:
        raise AssertionError("a claim without a record")
    return Claim(change, plan, kind, token, by, told.told)


def evidence_is_kept(claim: Claim) -> bool:
    """Whether the record of the claim is in its segment: nothing may be done to a host before that (H54)."""
    return segments.held(claim.planned)


def _take(change: Change, by: Principal, told: records.Telling) -> int:
    now = timezone.now()
    with transaction.atomic(durable=True):
        token = lock.next_token(change.host)
        with states.moving(
            change,
            Status.APPLYING,
            by=by,
            told=told,
            only_if=Q(digest=change.digest, plan=change.plan, deadline__gt=now),
            fencing_token=token,
            machine=lock.machine(),
            started_at=now,
            beat_at=now,
            next_try_at=None,
            sentence="Being applied.",
        ):
            told.payload |= {"fencing_token": token} | _use_authority(change, now)
    return token


def _use_authority(change: Change, now: datetime) -> dict[str, object]:
    """Use up what allows this change, and say what it was. Raises Evaporated or standing.DoesNotCover.

    What a claim consumed bears the time at which it began, so that only this is given back if nothing is done.
    """
    if change.standing is not None:
        return standing.use(change.standing, change)
    live = Approval.objects.filter(change=change, digest=change.digest, revoked_at=None, consumed_at=None)
    approval = live.filter(expires_at__gt=now).first()
    if approval is None or live.filter(pk=approval.pk).update(consumed_at=now) != 1:
        raise Evaporated("no_approval", "There is no approval of this plan that still holds.")
    _require_it_holds(approval, change)
    said = {"approver": approval.approver_name, "approved_because": approval.reason}
    return said | ({"self_approved": True} if approval.self_approved else {})


def _require_it_holds(approval: Approval, change: Change) -> None:
    """Who approved is asked about again, from the database: rights go, and solo mode can be switched off."""
    approver = User.objects.get(pk=approval.approver_id)
    try:
        eyes.require_right(approver, known_kind(change.kind).approve_right, change.host)
        eyes.require_other_eyes(approver, eyes.wishers_of(change))
    except Refused as problem:
        sentence = f"The approval of {approval.approver_name} does not hold any more: {problem.sentence}"
        raise Evaporated(problem.code, sentence) from problem


def _require_the_plan(change: Change, by: Principal) -> None:
    if not is_unaltered(change.pk, change.plan, change.digest):
        sentence = (
            "The stored plan is not the one that was approved: nothing was done. Look at the database, plan again."
        )
        _close(change, by, "altered", sentence, Why.STALE)
        raise Evaporated("plan_altered", sentence)
    if change.deadline is None or change.deadline <= timezone.now():
        raise Refused("expired", "The approval has expired. Plan it again: the host has moved on.")


def _require_unbegun(change: Change, by: Principal) -> None:
    """A run that began anything never becomes approved again: only somebody with the database at hand says so."""
    if change.steps.filter(intent_at__isnull=False).exists():
        sentence = "It says approved, and was applied before: nothing was done now. Look at the database, plan again."
        _close(change, by, "altered", sentence, Why.STALE)
        raise Evaporated("applied_before", sentence)


def _require_free(change: Change) -> None:
    host = change.host
    if (row := freeze.frozen(host)) is not None:
        raise Waits("frozen", freeze.sentence(row))
    if not host.approved:
        raise Waits("host_not_approved", f"{host.name} is not approved for changes. An operator can approve it.")
    if (other := Change.objects.holding(host).exclude(pk=change.pk).first()) is not None:
        raise Waits("host_held", f"Change {other.pk} of {host.name} is {other.get_status_display()}: it comes first.")


def _close(change: Change, by: Principal, about: str, why: str, why_closed: Why) -> None:
    told = records.Telling(about, "failed", {"why": why})
    with states.moving(change, Status.CLOSED, by=by, told=told, why_closed=why_closed, sentence=why):
        return
