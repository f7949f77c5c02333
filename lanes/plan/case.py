"""One lane's scene, understood: its parts, its shape, and what is called for. Pure."""

from dataclasses import dataclass
from typing import assert_never

from lanes.contracts import Action, Desired, Observed, Shape
from lanes.parts import Parts, parts_of
from lanes.plan.scene import Operation, Scene
from lanes.shapes import shape_from


@dataclass(frozen=True, slots=True)
class Case:
    """What the steps and the blockers of one plan are found from."""

    scene: Scene
    parts: Parts
    shape: Shape
    action: Action

    @property
    def desired(self) -> Desired:
        return self.scene.desired

    @property
    def observed(self) -> Observed:
        return self.scene.observed


def case_of(scene: Scene) -> Case:
    """The case of a scene."""
    parts = parts_of(scene.desired, scene.observed, scene.listed)
    shape = shape_from(parts)
    return Case(scene, parts, shape, action_for(shape, parts, scene.asked.operation))


def action_for(shape: Shape, parts: Parts, operation: Operation) -> Action:
    """What is called for by the shape, or by whoever asks; whether it may be done is another question."""
    if operation != "plan":
        return operation
    match shape:
        case "absent":
            return "create"
        case "github_only":
            return "reconcile" if parts.registration == "ours" and parts.folder != "ours" else "adopt"
        case "local_service_only" | "supervised_active" | "supervised_inactive" | "mismatched_labels":
            return "reconcile"
        case "unknown_conflict":
            return "reconcile"
        case _:
            assert_never(shape)
