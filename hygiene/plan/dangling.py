"""The labelled loop: exactly the images that are dangling AND carry the host's managed label (D2, D4). Pure."""

from hygiene.contracts import BudgetRule, Class, Kind
from hygiene.plan.assemble import assemble, common_blockers, left_alone
from hygiene.plan.bounds import DANGLING, rules_of
from hygiene.plan.items import MOST, freed_one_after_another, image_item
from hygiene.plan.scene import Scene
from launchplane.changes.contracts import Blocker, Plan

SCOPE = "images.labelled"
NEEDS = ("images", "containers", "docker_summary")
NO_BOUND = BudgetRule(scope=SCOPE, max_bytes=None, reserve_bytes=0, min_age_seconds=0)


def plan_dangling(scene: Scene) -> Plan:
    """Every one that nobody uses and nothing protects; a budget for them that may be applied adds its age."""
    label = scene.policy.managed_label
    judgement = scene.judge(policy=scene.with_budgets(rules_of_dangling(scene)))
    images = [
        (image, judgement.verdicts[Kind.IMAGE, image.id])
        for image in scene.inventory.images
        if judgement.verdicts[Kind.IMAGE, image.id].rule == f"budget.{SCOPE}"
    ]
    items = [image_item(image, verdict.reason) for image, verdict in images if verdict.cls == Class.CANDIDATE][:MOST]
    blockers = common_blockers(scene, NEEDS)
    if not label:
        blockers.append(Blocker(code="no_managed_label", summary="No managed label is set for this host."))
    count = f"{len(items)} dangling image{'' if len(items) == 1 else 's'}"
    return assemble(
        DANGLING,
        scene,
        title=f"Remove {count} that carry {label}" if label else "Remove dangling images by their label",
        items=items,
        freed=freed_one_after_another(judgement, [[(Kind.IMAGE, item.target)] for item in items]),
        blockers=blockers,
        facts={"left_alone": left_alone(judgement, (Kind.IMAGE,)), "left_for_later": len(images) - len(items)},
    )


def rules_of_dangling(scene: Scene) -> list[BudgetRule]:
    """By which rules an image goes; without a budget that may be applied, no age is asked for."""
    return rules_of(DANGLING, scene.host, scene.policy) or [NO_BOUND]


def nothing_to_do(plan: Plan) -> str | None:
    """Why there is nothing to ask for, in a sentence."""
    if plan.steps:
        return None
    return f"Nothing to do: no unused dangling image carries {plan.bounds.get('managed_label') or 'a label'}."
