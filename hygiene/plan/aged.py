"""What is left over and old (P7): stopped containers, dangling images, build cache. No volume, no builder. Pure."""

from collections.abc import Iterator

from hygiene.contracts import BudgetRule, Container, Image, Kind
from hygiene.judge import Judgement
from hygiene.plan.assemble import assemble, common_blockers, left_alone
from hygiene.plan.bounds import AGED, rules_of
from hygiene.plan.items import (
    MOST,
    Item,
    container_item,
    freed_one_after_another,
    goes,
    image_item,
    in_order,
    not_pruned,
    prune_item,
)
from hygiene.plan.scene import Scene
from launchplane.changes.contracts import Blocker, Plan
from onhost.engine.buildx import PREFIX, STATE_FOLDER
from onhost.engine.removals import PruneBounds

NEEDS = ("images", "containers", "docker_summary", "build_cache")
BUILDKIT = "buildkit"


def plan_aged(scene: Scene) -> Plan:
    """By the age in each budget that may be applied, and never younger than 24 hours."""
    rules = rules_of_aged(scene)
    judgement = scene.judge(policy=scene.with_budgets(rules))
    items = in_order(_left_over(scene, judgement))
    things = items[: MOST - 1]
    records = [key for key in judgement.verdicts if key[0] == Kind.BUILD_CACHE and goes(judgement, key, "build_cache")]
    prunes = [
        prune_item(PruneBounds(rule.min_age_seconds, rule.reserve_bytes, None), "Its budget is build_cache.")
        for rule in rules
        if rule.scope == "build_cache" and records and not_pruned(judgement) is None
    ]
    keys = [[item.key] for item in things if item.key is not None]
    freed = freed_one_after_another(judgement, [*keys, *([records] if prunes else [])])
    blockers = common_blockers(scene, NEEDS)
    if not rules:
        blockers.append(
            Blocker(code="no_budget_applies", summary="No budget by age may be applied: all of them only report.")
        )
    return assemble(
        AGED,
        scene,
        title=f"Remove what is left over and old: {len(things)} items" + (" and build cache" if prunes else ""),
        items=[*things, *prunes],
        freed=freed,
        blockers=blockers,
        facts={
            "left_alone": left_alone(judgement, (Kind.CONTAINER, Kind.IMAGE, Kind.BUILD_CACHE)),
            "left_for_later": len(items) - len(things),
        },
    )


def rules_of_aged(scene: Scene) -> list[BudgetRule]:
    """By which rules things go: those of the budgets that may be applied, by age alone."""
    return rules_of(AGED, scene.host, scene.policy)


def nothing_to_do(plan: Plan) -> str | None:
    """Why there is nothing to ask for, in a sentence."""
    return None if plan.steps else "Nothing to do: nothing that is left over is older than its bound."


def _left_over(scene: Scene, judgement: Judgement) -> Iterator[Item]:
    """The containers and images that their budgets let go and that are nothing of BuildKit's."""
    buildkits = {image.id for image in scene.inventory.images if _is_buildkit(image)}
    buildkits |= {builder.image_id for builder in scene.inventory.builders if builder.image_id}
    for container in scene.inventory.containers:
        key = (Kind.CONTAINER, container.id)
        if goes(judgement, key, "containers") and not (_is_builder(container) or container.image_id in buildkits):
            yield container_item(container, judgement.verdicts[key].reason)
    for image in scene.inventory.images:
        key = (Kind.IMAGE, image.id)
        if goes(judgement, key, "images.dangling") and image.id not in buildkits:
            yield image_item(image, judgement.verdicts[key].reason)


def _is_builder(container: Container) -> bool:
    """Whether it looks like a part of BuildKit, in use or not, required or not."""
    holds_state = any(mount.destination == STATE_FOLDER for mount in container.mounts)
    return holds_state or container.name.startswith(PREFIX) or BUILDKIT in container.image_ref.lower()


def _is_buildkit(image: Image) -> bool:
    return any(BUILDKIT in name.lower() for name in (*image.tags, *image.digests))
