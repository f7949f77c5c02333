"""What is not any more as it was planned: each precondition held against a new look, in sentences. Pure."""

from collections.abc import Iterator, Mapping

from hygiene.contracts import Class, Container, Inventory
from hygiene.judge import Judgement
from hygiene.plan.bounds import bounds_of
from hygiene.plan.items import KINDS, container_item, image_item, volume_item
from hygiene.plan.scene import Scene, builder_container, without
from launchplane.changes.contracts import Json, Plan, PlannedStep

SHOWN = 5
Expected = Mapping[tuple[str, str], Mapping[str, Json]]
GOES = (Class.CANDIDATE, Class.KEPT)


def differences(plan: Plan, scene: Scene) -> tuple[str, ...]:
    """Why `plan` is not the right one any more; empty if everything still holds. The first few, and how many more."""
    found = list(_all(plan, scene))
    more = len(found) - SHOWN
    return (*found[:SHOWN], *((f"And {more} more differences.",) if more > 0 else ()))


def _all(plan: Plan, scene: Scene) -> Iterator[str]:
    if scene.inventory.engine.engine_id != plan.target_identity:
        yield "Another engine answers."
        return
    now = bounds_of(plan.kind, scene.host, scene.policy)
    for name in ("budgets", "managed_label"):
        if _plain(plan.bounds.get(name)) != _plain(now.bounds.get(name)):
            yield f"The {name.replace('_', ' ')} in force is not the one of the plan."
    containers = {container.id: container for container in scene.inventory.containers}
    going = [containers[s.target] for s in plan.steps if s.verb == "remove-container" and s.target in containers]
    before = scene.judge()
    after = scene.judge(inventory=without(scene.inventory, [c for c in going if not c.alive])) if going else before
    present = _present(scene.inventory)
    for step in plan.steps:
        if step.verb in KINDS:
            judgement = before if step.verb == "remove-container" else after
            yield from _removal(step, present, judgement)
        elif step.verb == "prune-builder":
            yield from _builder(step, scene.inventory)


def _removal(
    step: PlannedStep, present: Mapping[tuple[str, str], Mapping[str, Json]], judgement: Judgement
) -> Iterator[str]:
    found = present.get((step.verb, step.target))
    if found is None:
        yield f"{step.title} is not there any more."
        return
    for field, wanted in step.expected.items():
        if _plain(found.get(field)) != _plain(wanted):
            yield f"{step.title}: {field.replace('_', ' ')} is {_shown(found.get(field))}, not {_shown(wanted)}."
    verdict = judgement.verdicts[KINDS[step.verb], step.target]
    if verdict.cls not in GOES:
        yield f"{step.title}: {verdict.reason}"


def _builder(step: PlannedStep, inventory: Inventory) -> Iterator[str]:
    container: Container | None = builder_container(inventory, step.target)
    if container is None or container.id != step.expected["container_id"]:
        yield f"Builder {step.target} does not run in the container that was planned for."


def _present(inventory: Inventory) -> Expected:
    """What would be expected of each thing if it were planned now."""
    items = [
        *(image_item(image, "") for image in inventory.images),
        *(container_item(container, "") for container in inventory.containers),
        *(volume_item(volume, "") for volume in inventory.volumes),
    ]
    return {(item.verb, item.target): item.expected for item in items}


def _plain(value: object) -> object:
    """A value as JSON has it: lists and tuples are the same."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _shown(value: Json) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return "not known" if value is None else str(value)
