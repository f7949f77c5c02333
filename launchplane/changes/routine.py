"""What a schedule does for a routine kind: plan, and queue the change if a standing approval covers it.

When there is nothing to do, one sentence on the schedule's row is all that is left.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.tasks import async_task

from launchplane.access.people import SCHEDULE, Principal
from launchplane.changes import freeze, planning, records, standing
from launchplane.changes.approvals import APPLY, QUEUED_AGAIN_AFTER
from launchplane.changes.contracts import Gate, Plan
from launchplane.changes.kinds import ChangeKind
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.models.change import Status
from launchplane.hosts.models import Host
from launchplane.problems import Waits

TO_EXECUTE = timedelta(hours=1)


def run_routine(kind: ChangeKind, host: Host) -> str:
    """One scheduled run, in a sentence. Raises Waits with the reason if something has to happen first."""
    approval = standing.in_force(kind.name, host)
    if approval is None:
        raise Waits(
            "no_standing_approval", f"Not run: no standing approval for {kind.title} on {host.name} is in force."
        )
    if (row := freeze.frozen(host)) is not None:
        return f"Not run: {freeze.sentence(row)}"
    if (other := _under_way(kind, host)) is not None:
        return f"Not run: change {other.pk} is {other.get_status_display()}."
    plan = planning.checked(kind.plan(host), kind, host)
    if plan.blockers:
        raise Waits("blocked", f"Not run: {' '.join(blocker.summary for blocker in plan.blockers)}")
    if (nothing := kind.nothing_to_do(plan)) is not None:
        return nothing
    standing.require_covers(approval, plan)
    gates = kind.start(host, plan).gates()
    if closed := [gate for gate in gates if not gate.is_open]:
        return _skip(kind, host, plan, gates, closed)
    return _queue(host, plan, approval)


def _under_way(kind: ChangeKind, host: Host) -> Change | None:
    """A change that this run would only stand in the way of."""
    holding = Change.objects.holding(host)
    same = Change.objects.filter(host=host, kind=kind.name, standing__isnull=False, status=Status.APPROVED)
    return (holding | same).first()


def _skip(kind: ChangeKind, host: Host, plan: Plan, gates: tuple[Gate, ...], closed: list[Gate]) -> str:
    """There is something to do, and a gate is closed: that is on record, and no change is made."""
    sentence = " ".join(f"{gate.name}: {gate.reason}" for gate in closed)
    payload = {
        "why": sentence,
        "nothing_changed": True,
        "items": len(plan.steps),
        "predicted_bytes": plan.predicted_bytes,
        "gates": [gate.model_dump(mode="json") for gate in gates],
    }
    key = f"{kind.name}-{host.name}-{timezone.now():%Y%m%dT%H%M%S.%fZ}"
    with transaction.atomic():
        records.tell_of_host(kind.name, host, by=SCHEDULE, key=key, payload=payload, status=kind.stopped)
    return f"Skipped. {sentence}"


def _queue(host: Host, plan: Plan, approval: StandingApproval) -> str:
    now = timezone.now()
    people = (approval.requested_by, approval.granted_by) if approval.granted_by else (approval.requested_by,)
    by = Principal(SCHEDULE.id, SCHEDULE.name, SCHEDULE.source, None, people)
    try:
        with transaction.atomic():
            change = planning.store(
                plan,
                host,
                by=by,
                standing=approval,
                status=Status.APPROVED,
                deadline=now + TO_EXECUTE,
                next_try_at=now + QUEUED_AGAIN_AFTER,
                reason=f"Routine, under the standing approval of {approval.granted_by_name}.",
            )
            async_task(APPLY, str(change.pk), cluster="apply")
    except IntegrityError:
        return "Not run: another run of the same is under way."
    return f"{len(plan.steps)} items are queued as change {change.pk}."
