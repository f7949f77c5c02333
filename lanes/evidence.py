"""What a lane is like before and after a run, for the audit: a proof that is not in fails the run (M63–M68). Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from lanes.contracts import Desired
from lanes.plan.assemble import plan_lane
from lanes.plan.case import Case, case_of
from lanes.plan.facts import seen_of
from lanes.plan.scene import Scene
from lanes.proofs import missing, proofs
from launchplane.changes.contracts import Evidence, Gate, Json, Plan


def before(scene: Scene, *, main_pid: int | None) -> Evidence:
    """What is there before anything is done; `main_pid` is the unit's main process where it is to be restarted."""
    return Evidence(facts=_facts(case_of(scene)) | {"main_pid": main_pid}, missing=(), actual_bytes=None)


def after(plan: Plan, desired: Desired, scene: Scene, undone: Iterable[str], *, now: datetime) -> Evidence:
    """What is there afterwards: every proof with its evidence, what is missing, and how to go on from here (L8).

    `desired` has the id of what was registered, or of what was taken back. `undone` names steps that were not done:
    a lane may look as it must and still run what was there before.
    """
    found = proofs(plan.kind, desired, scene.observed, now=now)
    facts = _facts(case_of(scene)) | {"proofs": _plain(found), "go_on": go_on(plan, scene)}
    return Evidence(facts=facts, missing=(*undone, *missing(found)), actual_bytes=None)


def go_on(plan: Plan, scene: Scene) -> tuple[str, ...]:
    """What a plan made now would do, or what stands in its way: the planner itself says how to recover (L8, L20)."""
    following = plan_lane(scene)
    if following.blockers:
        return (*(blocker.summary for blocker in following.blockers), *following.next_steps)
    if not following.steps:
        return ("Nothing is left to do.",)
    verbs = ", ".join(step.verb for step in following.steps)
    return (f"Plan it again: {following.kind} would do {verbs}.", f"To get back: {plan.boundary.rollback}")


def _facts(case: Case) -> dict[str, Json]:
    """As in the plan's own facts, so that the two can be laid side by side."""
    return {
        "shape": case.shape,
        "condition": case.observed.condition,
        "observed": seen_of(case),
        "observed_at": case.observed.seen_at.isoformat(),
    }


def _plain(found: Sequence[Gate]) -> Json:
    return tuple(proof.model_dump() for proof in found)
