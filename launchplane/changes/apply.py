"""Carrying out an approved change, the same way for every kind: lock, claim, look, gates, item by item, look, record.

What makes an effect happen once is the claim and the lock; the queue only carries ids.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from audits.kept import kept
from audits.record import AuditRefused
from launchplane import canonical
from launchplane.access.people import WORKER, Principal
from launchplane.changes import finish, lock, obstacles
from launchplane.changes.claim import Claim, Evaporated, claim, evidence_is_kept
from launchplane.changes.contracts import Gate
from launchplane.changes.kinds import Run
from launchplane.changes.marks import ClaimLost
from launchplane.changes.models import Change
from launchplane.changes.models.change import Status
from launchplane.changes.requests import find_change
from launchplane.changes.states import Moved, tell_the_schedule
from launchplane.changes.steps import take_steps
from launchplane.changes.stopping import Stop, finishing_the_item
from launchplane.problems import Problem, Waits

log = logging.getLogger(__name__)

BUSY_FOR = timedelta(minutes=1)


def apply_queued(change_id: str) -> None:
    """What a worker does with a queued id. How it went is on the change's row; a second delivery does nothing."""
    try:
        change = apply_change(find_change(change_id), by=WORKER)
    except Problem as problem:
        log.info("change %s was not applied: %s", change_id, problem.sentence)
    else:
        log.info("change %s on %s: %s", change.pk, change.host.name, change.sentence)


def apply_change(change: Change, *, by: Principal) -> Change:
    """Apply `change` now, in this process, and return it as it is afterwards: whatever it came to is on it.

    Raises Refused if it is not there to be applied.
    """
    try:
        with finishing_the_item() as stop, lock.held(change.host):
            return _carry_out(claim(find_change(change.pk), by=by), stop)
    except (Waits, AuditRefused) as problem:
        return _wait(change, problem)
    except Evaporated:
        return find_change(change.pk)


def _carry_out(claim: Claim, stop: Stop) -> Change:
    """From the claim on. A worker from whom recovery took the change leaves it as recovery has it."""
    try:
        run = _ready(claim)
        if run is not None:
            return finish.finish(claim.change, run, take_steps(claim, run, stop), by=claim.by)
    except (ClaimLost, Moved) as lost:
        log.warning("change %s: %s", claim.change.pk, lost.sentence)
    return find_change(claim.change.pk)


def _ready(claim: Claim) -> Run | None:
    """The run, if nothing stands in its way; else None, and the change is where it belongs then.

    Until the first intent, whatever goes wrong leaves the host as it was.
    """
    change, by = claim.change, claim.by
    if not evidence_is_kept(claim):
        finish.release(change, "The evidence store does not keep what it is given.", by=by)
        return None
    try:
        run = claim.kind.start(change.host, claim.plan)
        differences = run.differences()
        gates = () if differences else run.gates()
        closed = [gate for gate in gates if not gate.is_open and gate.name not in claim.waived]
        if not differences and not closed:
            _keep_before(claim, run, gates)
            return run
    except Problem as problem:
        finish.release(change, problem.sentence, by=by)
    except Exception as error:
        log.exception("change %s failed before anything was done", change.pk)
        finish.fail(change, f"Failed unexpectedly before anything was done: {type(error).__name__}.", by=by)
    else:
        _put_back(claim, differences, gates, closed)
    return None


def _put_back(claim: Claim, differences: Sequence[str], gates: tuple[Gate, ...], closed: list[Gate]) -> None:
    if differences:
        finish.close_stale(claim.change, differences, by=claim.by)
    else:
        finish.release(claim.change, obstacles.words(closed), by=claim.by, gates=gates)


def _keep_before(claim: Claim, run: Run, gates: tuple[Gate, ...]) -> None:
    """What the host was like, and what let the run begin."""
    change = claim.change
    change.gates = canonical.canonical([gate.model_dump(mode="json") for gate in gates]).decode()
    change.before = canonical.canonical(run.evidence(before=True)).decode()
    claim.rows().update(gates=change.gates, before=change.before)


def _wait(change: Change, problem: Problem) -> Change:
    """Not now. Nothing was claimed, so nothing but the next time and the reason is written."""
    after = BUSY_FOR if isinstance(problem, lock.HostBusy) else finish.TRY_AGAIN_AFTER
    is_known = isinstance(problem, obstacles.StillThere)
    sentence = kept(problem.sentence if is_known else f"Waits: {problem.sentence}")
    still = Change.objects.filter(pk=change.pk, status=Status.APPROVED)
    if still.update(next_try_at=timezone.now() + after, sentence=sentence):
        tell_the_schedule(change, sentence, ok=True)
    return find_change(change.pk)
