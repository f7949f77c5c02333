"""What does not hold any more of an approved plan, by a new look at its lane. Pure.

What may pass by itself is a gate's to say: a job that runs, a part that could not be read, a grant. The rest makes the
plan stale.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lanes.contracts import Desired
from lanes.plan.case import Case, case_of
from lanes.plan.order import verbs_for
from lanes.plan.record import of_record
from lanes.plan.scene import Operation, Scene
from lanes.plan.sight import of_sight
from lanes.plan.steps import planned_steps
from launchplane.changes.contracts import Blocker, Plan, PlannedStep

UNREAD = frozenset({"not_measured"})
BUSY = frozenset({"lane_busy", "work_unknown"})


@dataclass(frozen=True, slots=True)
class Judged:
    """A scene as the planner understands it now, and what stands against the plan, by who has to say so.

    `against_record` is the gate `grant`'s, `unread` the gate `fresh`'s; `not_busy` looks for itself.
    """

    case: Case
    steps: tuple[PlannedStep, ...]
    against_record: tuple[Blocker, ...]
    unread: tuple[Blocker, ...]
    against_sight: tuple[Blocker, ...]


def operation_of(kind: str) -> Operation:
    """What was asked for: a restart, a removal, or to have the lane as its record says."""
    return "restart" if kind == "lane.restart" else "remove" if kind == "lane.remove" else "plan"


def judged(scene: Scene) -> Judged:
    """The planner's own rules over what is there now."""
    case = case_of(scene)
    verbs = verbs_for(case)
    sight = tuple(of_sight(case, verbs))
    return Judged(
        case=case,
        steps=planned_steps(verbs, case),
        against_record=tuple(of_record(case)),
        unread=tuple(blocker for blocker in sight if blocker.code in UNREAD),
        against_sight=tuple(blocker for blocker in sight if blocker.code not in UNREAD | BUSY),
    )


def differences(plan: Plan, now: Judged) -> tuple[str, ...]:
    """Each in a sentence; none if the plan would be made again as it is, or if not enough could be read to tell."""
    return tuple(_differences(plan, now))


def desired_in(plan: Plan) -> Desired:
    """The lane's record as the plan was made from it. Raises ValidationError for a plan that is none of a lane."""
    return Desired.model_validate(plan.facts["desired"])


def _differences(plan: Plan, now: Judged) -> Iterator[str]:
    if plan.target_identity != now.case.scene.host.identity:
        yield "Its host is not the machine any more that it was planned for."
    yield from _of_record(desired_in(plan), now.case.desired)
    if now.unread:
        return
    yield from (blocker.summary for blocker in now.against_sight)
    if plan.steps != now.steps:
        yield _other_steps(plan, now)


def _of_record(then: Desired, now: Desired) -> Iterator[str]:
    before, after = then.model_dump(), now.model_dump()
    for field in (field for field in before if before[field] != after[field]):
        yield f"Its record has another {field.replace('_', ' ')} than was planned with."


def _other_steps(plan: Plan, now: Judged) -> str:
    then = str(plan.facts["shape"]).replace("_", " ")
    shape = now.case.shape.replace("_", " ")
    verbs, wanted = [step.verb for step in plan.steps], [step.verb for step in now.steps]
    if verbs != wanted:
        would = ", ".join(wanted) or "nothing"
        return f"It was {then} and is {shape}: what would have to be done is {would}, not {', '.join(verbs)}."
    differ = [new.verb for old, new in zip(plan.steps, now.steps, strict=True) if old != new]
    return f"What must hold before {', '.join(differ)} is not what was planned with."
