"""What put a change off the last time, looked at again without a claim.

A gate that stays closed is on record once, with its evidence, and not at each of the tries of four hours.
"""

import json
import logging

from audits.kept import kept
from launchplane.changes.contracts import Gate, Plan
from launchplane.changes.kinds import ChangeKind
from launchplane.changes.models import Change
from launchplane.problems import Problem, Waits

log = logging.getLogger(__name__)

PUT_OFF = "Nothing was done yet."


class StillThere(Waits):
    """Nothing has become better since the change was put off. Its sentence says what still stands in the way."""


def deferred(why: str) -> str:
    """How a change stands that is put off for this reason."""
    return f"{PUT_OFF} {why}"


def words(gates: list[Gate]) -> str:
    """Which gates are closed, and why."""
    return " ".join(f"{gate.name}: {gate.reason}" for gate in gates)


def waived(kind: ChangeKind, change: Change) -> frozenset[str]:
    """The gates that do not apply to `change`, since people asked for it once."""
    return kind.routine_gates if change.standing_id is None else frozenset()


def require_gone(change: Change, plan: Plan, kind: ChangeKind) -> None:
    """Raises StillThere if `change` was put off before, and for a reason that still holds.

    Only reads. Whatever else it meets is left to the claim, which puts it on record.
    """
    if change.fencing_token is None:
        return
    try:
        run = kind.start(change.host, plan)
        gates = () if run.differences() else (*run.gates(), *run.step_gates())
    except Problem as problem:
        if change.sentence == kept(deferred(problem.sentence)):
            raise StillThere(problem.code, change.sentence) from problem
        return
    except Exception:
        log.exception("change %s could not be looked at before its claim", change.pk)
        return
    closed = [gate for gate in gates if not gate.is_open and gate.name not in waived(kind, change)]
    if still := _as_before(change, closed, waived(kind, change)):
        raise StillThere("gates_closed", deferred(words(still)))


def _as_before(change: Change, closed: list[Gate], waived: frozenset[str]) -> list[Gate]:
    """Those of the `closed` gates that were closed before, if none of them has opened; else nothing."""
    recorded = [Gate.model_validate(gate) for gate in json.loads(change.gates)]
    before = {gate.name for gate in recorded if not gate.is_open} - waived
    if not before:
        return [gate for gate in closed if change.sentence == kept(deferred(words([gate])))]
    same = [gate for gate in closed if gate.name in before]
    return same if {gate.name for gate in same} == before else []
