"""What the page of a lane's change has that no other change has: the lane as it was planned for, and the proofs after.

Read from the plan and from the evidence of its run, as they were stored and hashed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from lanes.contracts import Baseline, Condition, Desired, Directory, GithubRunner, Service, Shape
from lanes.models import Lane
from launchplane.changes.contracts import Gate, Plan
from launchplane.changes.kinds import ChangeKind
from launchplane.changes.models import Change
from launchplane.web.lane_page import ProofLine
from launchplane.web.lane_sides import SeenParts, Side, sides
from launchplane.web.lane_words import CAUSES, PROOFS, SHAPES, WHAT_IT_DOES

Part = TypeVar("Part", bound=BaseModel)
_SHAPE: TypeAdapter[Shape] = TypeAdapter(Shape)
_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
# these are shown as what they are, and not value by value
SHOWN_BY_THEMSELVES = frozenset({"proofs", "go_on"})


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """A part of the lane as it was seen before the run, and after it."""

    name: str
    before: Side
    after: Side

    @property
    def changed(self) -> bool:
        return (self.before.seen, self.before.why) != (self.after.seen, self.after.why)


@dataclass(frozen=True, slots=True)
class LaneChange:
    """`lane` is None if its record is gone. `proofs` and `go_on` are of the run's end; without a run there are none."""

    lane: Lane | None
    what: str
    shape: tuple[str, str, str]
    cause: str
    sides: tuple[Side, ...]
    before_after: tuple[BeforeAfter, ...]
    proofs: tuple[ProofLine, ...]
    go_on: tuple[str, ...]

    @property
    def proven(self) -> int:
        return sum(line.gate.is_open for line in self.proofs)


def lane_change(
    change: Change,
    kind: ChangeKind | None,
    plan: Plan,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> LaneChange | None:
    """None for a change that is not of a lane, or whose plan says nothing of one that can be understood."""
    if kind is None or not kind.subject_is_lane:
        return None
    facts: Mapping[str, Any] = plan.facts
    try:
        desired, seen = Desired.model_validate(facts["desired"]), _seen(facts["observed"])
        shape, condition = _SHAPE.validate_python(facts["shape"]), _CONDITION.validate_python(facts["condition"])
    except (ValidationError, KeyError):
        return None
    of_run = {} if after is None else after["facts"]
    return LaneChange(
        lane=Lane.objects.filter(host=change.host_id).called(change.subject).first(),
        what=WHAT_IT_DOES.get(change.kind, ""),
        shape=SHAPES[shape],
        cause=str(facts["observed"].get("cause") or CAUSES[condition]),
        sides=sides(desired, seen),
        before_after=_before_after(desired, before, after),
        proofs=tuple(_proof(proof) for proof in of_run.get("proofs") or ()),
        go_on=tuple(str(sentence) for sentence in of_run.get("go_on") or ()),
    )


def _before_after(
    desired: Desired, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[BeforeAfter, ...]:
    """Nothing unless the lane was seen at both ends of the run, in a shape that can be understood."""
    if before is None or after is None:
        return ()
    try:
        ends = [sides(desired, _seen(end["facts"]["observed"])) for end in (before, after)]
    except (ValidationError, KeyError):
        return ()
    return tuple(BeforeAfter(one.name, one, other) for one, other in zip(*ends, strict=True))


def without_proofs(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a run that are laid beside those of before it."""
    return {name: value for name, value in facts.items() if name not in SHOWN_BY_THEMSELVES}


def _proof(told: Mapping[str, Any]) -> ProofLine:
    gate = Gate.model_validate(told)
    return ProofLine(gate, PROOFS.get(gate.name, gate.name.replace("_", " ")))


def _seen(facts: Mapping[str, Any]) -> SeenParts:
    return SeenParts(
        registration=str(facts["registration"]),
        folder=str(facts["folder"]),
        unit=str(facts["unit"]),
        why={str(name): str(why) for name, why in facts["why"].items()},
        runner=_part(GithubRunner, facts["runner"]),
        directory=_part(Directory, facts["directory"]),
        service=_part(Service, facts["service"]),
        baseline=_part(Baseline, facts["baseline"]),
        unmeasured={str(name): str(why) for name, why in facts["unmeasured"].items()},
    )


def _part(contract: type[Part], told: object) -> Part | None:
    return None if told is None else contract.model_validate(told)
