"""What is not any more as it was planned: each precondition held against a new look, in sentences. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from hygiene.classify import Verdict
from hygiene.contracts import Class, Container, Inventory
from hygiene.judge import Judgement
from hygiene.plan.aged import rules_of_aged
from hygiene.plan.assemble import missing_warm, through
from hygiene.plan.bounds import AGED, DANGLING, bounds_of
from hygiene.plan.dangling import rules_of_dangling
from hygiene.plan.items import KINDS, container_item, image_item, not_pruned, volume_item
from hygiene.plan.scene import Scene, builder_container, without
from launchplane.changes.contracts import Json, Plan, PlannedStep

SHOWN = 5
Expected = Mapping[tuple[str, str], Mapping[str, Json]]
NAMED_GOES = (Class.CANDIDATE, Class.KEPT)
ROUTINE_RULES = {DANGLING: rules_of_dangling, AGED: rules_of_aged}


def differences(plan: Plan, scene: Scene) -> tuple[str, ...]:
    """Why `plan` is not the right one any more; empty if everything still holds. The first few, and how many more."""
    found = list(_all(plan, scene))
    more = len(found) - SHOWN
    return (*found[:SHOWN], *((f"And {more} more differences.",) if more > 0 else ()))


def _all(plan: Plan, scene: Scene) -> Iterator[str]:
    if scene.inventory.engine.engine_id != plan.target_identity:
        yield "Another engine answers."
        return
    yield from _terms(plan, scene)
    before, after = _judgements(plan, scene)
    present = _present(scene.inventory)
    for step in plan.steps:
        if step.verb in KINDS:
            judgement = before if step.verb == "remove-container" else after
            yield from _removal(plan, step, present, judgement.verdicts.get((KINDS[step.verb], step.target)))
            yield from _use(plan, step, scene)
        else:
            yield from _prune(step, scene.inventory, before)


def _terms(plan: Plan, scene: Scene) -> Iterator[str]:
    """On what the plan rests beside its items: who does it, what the host allows, which bounds are in force."""
    if plan.boundary.user != scene.host.user:
        yield f"It was planned to be done as {plan.boundary.user}, and this is {scene.host.user}."
    if plan.boundary.through != through(scene):
        yield f"It was planned to be done through {plan.boundary.through}, and that is {through(scene)} now."
    if not scene.host.hygiene_enabled:
        yield f"Hygiene is not enabled on {scene.host.name} any more."
    if missing := missing_warm(scene):
        yield f"Missing already before the run: {', '.join(missing)}."
    now = bounds_of(plan.kind, scene.host, scene.policy)
    for name in ("budgets", "managed_label"):
        if _plain(plan.bounds.get(name)) != _plain(now.bounds.get(name)):
            yield f"The {name.replace('_', ' ')} in force is not the one of the plan."


def _judgements(plan: Plan, scene: Scene) -> tuple[Judgement, Judgement]:
    """What is said of containers, and of the rest.

    By the rules that a routine kind goes by; of named things, as if the containers that go with them were gone.
    """
    if plan.kind in ROUTINE_RULES:
        judgement = scene.judge(policy=scene.with_budgets(ROUTINE_RULES[plan.kind](scene)))
        return judgement, judgement
    targets = {step.target for step in plan.steps if step.verb == "remove-container"}
    going = [c for c in scene.inventory.containers if c.id in targets and not c.alive]
    before = scene.judge()
    return before, scene.judge(inventory=without(scene.inventory, going)) if going else before


def _still_goes(plan: Plan, verdict: Verdict) -> bool:
    """A routine kind takes what its budgets let go now; what people named goes unless it is used or protected."""
    if plan.kind in ROUTINE_RULES:
        return verdict.cls == Class.CANDIDATE and verdict.rule.startswith("budget.")
    return verdict.cls in NAMED_GOES


def _use(plan: Plan, step: PlannedStep, scene: Scene) -> Iterator[str]:
    """A use between two looks leaves nothing but its events: a container that ran and was removed, and what it had."""
    past = scene.history.get((KINDS[step.verb], step.target))
    if past is None or past.last_used_at is None:
        return
    if past.last_used_at > datetime.fromisoformat(str(plan.facts["observed_at"])):
        yield f"{step.title} was used since it was planned."


def _removal(
    plan: Plan, step: PlannedStep, present: Mapping[tuple[str, str], Mapping[str, Json]], verdict: Verdict | None
) -> Iterator[str]:
    found = present.get((step.verb, step.target))
    if found is None:
        yield f"{step.title} is not there any more."
        return
    for field, wanted in step.expected.items():
        if _plain(found.get(field)) != _plain(wanted):
            yield f"{step.title}: {field.replace('_', ' ')} is {_shown(found.get(field))}, not {_shown(wanted)}."
    if verdict is not None and not _still_goes(plan, verdict):
        yield f"{step.title}: {verdict.reason}"


def _prune(step: PlannedStep, inventory: Inventory, judgement: Judgement) -> Iterator[str]:
    node = step.target if step.verb == "prune-builder" else ""
    container: Container | None = builder_container(inventory, node)
    if node and (container is None or container.id != step.expected["container_id"]):
        yield f"Builder {node} does not run in the container that was planned for."
    if (why := not_pruned(judgement, node)) is not None:
        yield f"{step.title}: {why}"


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
