"""Carrying out an approved change, the same way for every kind: lock, claim, look, gates, item by item, look, record.

What makes an effect happen once is the claim and the lock; the queue only carries ids.
"""

import logging
from datetime import timedelta

from django.utils import timezone

from audits.record import AuditRefused
from launchplane import canonical
from launchplane.access.people import WORKER, Principal
from launchplane.changes import finish, lock
from launchplane.changes.claim import Claim, Evaporated, claim, evidence_is_kept
from launchplane.changes.contracts import Gate
from launchplane.changes.kinds import Run
from launchplane.changes.models import Change
from launchplane.changes.models.change import Status
from launchplane.changes.requests import find_change
from launchplane.changes.steps import ClaimLost, take_steps
from launchplane.changes.stopping import Stop, finishing_the_item
from launchplane.problems import Problem, Refused, Waits

log = logging.getLogger(__name__)

BUSY_FOR = timedelta(minutes=1)


def apply_queued(change_id: str) -> None:
    """What a worker does with a queued id. How it went is on the change's row; a second delivery does nothing."""
    try:
        change = apply_change(find_change(change_id), by=WORKER)
    except Refused as problem:
        log.info("change %s was not applied: %s", change_id, problem.sentence)
    else:
        log.info("change %s on %s: %s", change.pk, change.host.name, change.sentence)


def apply_change(change: Change, *, by: Principal) -> Change:
    """Apply `change` now, in this process, and return it as it is afterwards: whatever it came to is on it.

    Raises Refused if it is not there to be applied.
    """
    try:
        with finishing_the_item() as stop, lock.held(change.host):
            mine = claim(find_change(change.pk), by=by)
            return _carry_out(mine, stop)
    except (Waits, AuditRefused) as problem:
        return _wait(change, problem)
    except (Evaporated, ClaimLost):
        return find_change(change.pk)


def _carry_out(claim: Claim, stop: Stop) -> Change:
    """From the claim on. Until the first intent, whatever goes wrong leaves the host as it was."""
    change, by = claim.change, claim.by
    if not evidence_is_kept(claim):
        return finish.release(change, "The evidence store does not keep what it is given.", by=by)
    try:
        run = claim.kind.start(change.host, claim.plan)
        if differences := run.differences():
            return finish.close_stale(change, differences, by=by)
        gates = run.gates()
        if closed := [gate for gate in gates if not gate.is_open and gate.name not in claim.waived]:
            return finish.release(change, _words(closed), by=by, gates=gates)
        _keep_before(claim, run, gates)
    except Problem as problem:
        return finish.release(change, problem.sentence, by=by)
    except Exception as error:
        log.exception("change %s failed before anything was done", change.pk)
        return finish.fail(change, f"Failed unexpectedly before anything was done: {type(error).__name__}.", by=by)
    halt = take_steps(claim, run, stop)
    return finish.finish(change, run, halt, by=by)


def _keep_before(claim: Claim, run: Run, gates: tuple[Gate, ...]) -> None:
    """What the host was like, and what let the run begin."""
    change = claim.change
    change.gates = canonical.canonical([gate.model_dump(mode="json") for gate in gates]).decode()
    change.before = canonical.canonical(run.evidence(before=True)).decode()
    claim.rows().update(gates=change.gates, before=change.before)


def _words(closed: list[Gate]) -> str:
    return " ".join(f"{gate.name}: {gate.reason}" for gate in closed)


def _wait(change: Change, problem: Problem) -> Change:
    """Not now. Nothing was claimed, so nothing but the next time and the reason is written."""
    still = Change.objects.filter(pk=change.pk, status=Status.APPROVED)
    after = BUSY_FOR if isinstance(problem, lock.HostBusy) else finish.TRY_AGAIN_AFTER
    still.update(next_try_at=timezone.now() + after, sentence=f"Waits: {problem.sentence}"[:600])
    return find_change(change.pk)
