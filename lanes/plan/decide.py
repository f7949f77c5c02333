"""One lane, one answer: an action with what it does, or what stands in its way. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from lanes.contracts import Action
from lanes.plan.case import Case, case_of
from lanes.plan.codes import blocker
from lanes.plan.order import verbs_for
from lanes.plan.record import of_record
from lanes.plan.scene import Scene
from lanes.plan.sight import of_sight
from lanes.plan.verbs import Verb
from launchplane.changes.contracts import Blocker

# a restart takes nothing away
WITH_PHRASE: frozenset[Action] = frozenset({"create", "adopt", "reconcile", "remove"})


@dataclass(frozen=True, slots=True)
class Decision:
    """Either `blockers`, or an `action` with its `verbs`; without verbs there is nothing to do."""

    case: Case
    action: Action | None
    verbs: tuple[Verb, ...]
    blockers: tuple[Blocker, ...]


def decide(scene: Scene) -> Decision:
    """The answer to what is asked. Nothing is thought of that a blocker stands against."""
    case = case_of(scene)
    verbs = verbs_for(case)
    blockers = (*of_record(case), *of_sight(case, verbs), *_of_asking(case))
    return Decision(case, None, (), blockers) if blockers else Decision(case, case.action, verbs, ())


def phrase_of(action: Action, lane_name: str) -> str | None:
    """What an approver types for it; None for a restart."""
    return f"{action} {lane_name}" if action in WITH_PHRASE else None


def _of_asking(case: Case) -> Iterator[Blocker]:
    """A change that is to be carried out says so twice: by its key, and by the phrase (M34)."""
    asked, phrase = case.scene.asked, phrase_of(case.action, case.desired.lane_name)
    if asked.mutates and not asked.idempotency_key:
        yield blocker("idempotency_key_missing", "What is to be carried out has no idempotency key.")
    if asked.mutates and phrase is not None and asked.confirmation != phrase:
        yield blocker("confirmation_missing", f"What is to be carried out is confirmed by “{phrase}”.")
