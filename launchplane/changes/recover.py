"""What a dead worker left: marked as in doubt, then looked at under the host's lock until nothing is unknown.

Nothing is ever done again, and nothing is carried on: what was not begun stays undone.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from launchplane.access.people import WORKER, Principal
from launchplane.access.rights import may
from launchplane.changes import eyes, finish, lock, records, states
from launchplane.changes.contracts import Evidence, StepOutcome
from launchplane.changes.digest import is_unaltered
from launchplane.changes.kinds import Run
from launchplane.changes.marks import outcome_fields, skip_what_was_not_begun
from launchplane.changes.models import Change, Step
from launchplane.changes.models.change import HOLDING, Status
from launchplane.changes.planning import known_kind
from launchplane.changes.requests import find_change
from launchplane.changes.steps import Halt, look
from launchplane.problems import Problem, Refused

log = logging.getLogger(__name__)

# longer than the queue lets any task live: whoever was silent for that long is gone or stopped
LEASE = timedelta(minutes=105)
RIGHT = "hosts.resolve_change"
UNSEEN = StepOutcome(outcome="unknown", detail="Its worker died.", freed_bytes=None, evidence={})
DIED = Halt("stopped", "Its worker ended before the run did.")


def recover() -> int:
    """Look at every change that a worker held and does not hold any more. Returns how many are at an end now."""
    held = Change.objects.filter(status__in=HOLDING).select_related("host", "standing")
    return sum(_recover_and_note(change) for change in held)


def recover_change(change: Change) -> Change:
    """Mark, look and settle one change, as far as that can be done now. A worker that is alive is left alone."""
    try:
        with lock.held_here(change.host):
            now = find_change(change.pk)
            if now.status == Status.APPLYING and now.machine != lock.machine():
                return _mark_if_silent(now, "It is applied on another machine, which has been silent for too long.")
            if now.status == Status.APPLYING:
                _mark(now, DIED.sentence)
            return _look_there(now)
    except lock.HostBusy:
        return _mark_if_silent(change, "Its worker still holds the host, and has been silent for too long.")


def resolve(change: Change, *, by: Principal, reason: str) -> Change:
    """A person has looked, and says what recovery could not see: the change ends as failed, with this reason.

    Raises Refused `not_in_doubt`, `not_permitted`, `reason_missing`; HostBusy while a worker still holds the host.
    """
    try:
        if change.status != Status.IN_DOUBT:
            raise Refused("not_in_doubt", f"This change is {change.get_status_display()}: there is nothing to resolve.")
        if by.user is None or not (by.user.is_active and may(by.user, RIGHT, change.host)):
            raise Refused("not_permitted", f"You may not resolve changes of {change.host.name}.")
        reason = eyes.require_reason(reason)
    except Refused as problem:
        raise records.deny(change, problem, by=by, wanted="resolve") from problem
    # not the lock on the host: one that never comes back must not hold up its changes for ever
    with lock.held_here(change.host):
        now = find_change(change.pk)
        if now.status != Status.IN_DOUBT:
            raise states.Moved("not_any_more", f"Recovery was faster: this change is {now.get_status_display()} now.")
        return finish.end_unresolved(now, by=by, reason=reason)


def _recover_and_note(change: Change) -> bool:
    """One change that cannot be recovered stops no other."""
    try:
        return recover_change(change).status not in HOLDING
    except Problem as problem:
        log.warning("change %s is not recovered yet: %s", change.pk, problem)
    except Exception:
        log.exception("change %s is not recovered yet", change.pk)
    return False


def _mark_if_silent(change: Change, why: str) -> Change:
    """A worker that still holds the host may only be stopped: it is marked, and what it did is asked later."""
    silent_since = timezone.now() - LEASE
    if change.status == Status.APPLYING and change.beat_at is not None and change.beat_at < silent_since:
        _mark(change, why, only_if=Q(beat_at__lt=silent_since))
    return change


def _mark(change: Change, why: str, *, only_if: Q | None = None) -> None:
    """In doubt, with a newer fencing token: the old worker begins nothing any more."""
    with transaction.atomic():
        token = lock.next_token(change.host)
        finish.mark_in_doubt(change, why, by=WORKER, only_if=only_if, token=token)


def _look_there(change: Change) -> Change:
    """The lock here is ours, so no worker of this machine is at it. Raises HostBusy, OutOfReach."""
    if change.status != Status.IN_DOUBT or (change.next_try_at or timezone.now()) > timezone.now():
        return change
    with lock.held_there(change.host):
        return _settle(change)


def _settle(change: Change) -> Change:
    """Both locks are ours, so nobody is at it."""
    run = _run_to_look(change)
    for step in change.steps.all():
        if finish.is_unresolved(step):
            _look_at(change, step, run)
    all_begun = not change.steps.filter(intent_at=None).exists()
    skip_what_was_not_begun(change, DIED.sentence)
    return finish.finish(change, run, None if all_begun else DIED, by=WORKER)


def _run_to_look(change: Change) -> Run | None:
    """Something to look with, if the plan is the one that was applied, the host can be reached, the kind installed."""
    if not is_unaltered(change.pk, change.plan, change.digest):
        log.error("change %s cannot be looked at: its stored plan was altered", change.pk)
        return None
    try:
        run = known_kind(change.kind).start(change.host, change.planned())
        if change.before:
            run.recall(Evidence.model_validate_json(change.before))
        return run
    except Problem as problem:
        log.warning("change %s cannot be looked at: %s", change.pk, problem.sentence)
    except Exception:
        log.exception("change %s cannot be looked at", change.pk)
    return None


def _look_at(change: Change, step: Step, run: Run | None) -> None:
    seen = look(run, change.planned().steps[step.position - 1], UNSEEN) if run is not None else UNSEEN
    still = Step.objects.filter(pk=step.pk, intent_at__isnull=False, outcome__in=("", Step.Outcome.UNKNOWN))
    now = timezone.now()
    still.update(looked_at=now, finished_at=now, **outcome_fields(seen))
