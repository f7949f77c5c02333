"""Phase one: bounded pruning of build cache, the engine's own and that of each required builder with a budget. Pure."""

from hygiene.contracts import BudgetRule, Key, Kind
from hygiene.judge import Judgement
from hygiene.plan.assemble import assemble, common_blockers, left_alone
from hygiene.plan.bounds import BUILD_CACHE, BUILDER_SCOPE, rules_of
from hygiene.plan.items import Item, freed_one_after_another, goes, not_pruned, prune_item
from hygiene.plan.scene import Scene, builder_container
from launchplane.changes.contracts import Blocker, Plan
from onhost.engine.removals import PruneBounds

NEEDS = ("build_cache", "containers", "docker_summary")


def plan_build_cache(scene: Scene) -> Plan:
    """A prune for each budget that has something to let go.

    Before the first one on a host has been completed, those with nothing to let go are planned too: the evidence that
    such a run leaves the warm builders alone is what later kinds wait for (H34).
    """
    rules = rules_of(BUILD_CACHE, scene.host, scene.policy)
    judgement = scene.judge(policy=scene.with_budgets(rules))
    spared = {rule.scope: why for rule in rules if (why := _not_pruned(scene, judgement, rule)) is not None}
    prunes = [(rule, _prune(scene, rule)) for rule in rules if rule.scope not in spared]
    records = [_records(judgement, rule) for rule, _item in prunes]
    freed = freed_one_after_another(judgement, records)
    wanted = [
        (item, size) for (_rule, item), size in zip(prunes, freed, strict=True) if size != 0 or scene.phase_one is None
    ]
    blockers = common_blockers(scene, NEEDS)
    if not rules:
        blockers.append(
            Blocker(
                code="no_budget_applies", summary="No budget of build cache may be applied: all of them only report."
            )
        )
    return assemble(
        BUILD_CACHE,
        scene,
        title="Prune build cache to its budget",
        items=[item for item, _size in wanted],
        freed=[size for _item, size in wanted],
        blockers=blockers,
        facts={"left_alone": left_alone(judgement, (Kind.BUILD_CACHE, Kind.BUILDER)), "not_pruned": spared},
    )


def nothing_to_do(plan: Plan) -> str | None:
    """Why there is nothing to ask for, in a sentence."""
    return None if plan.steps else "Nothing to do: the build cache is within its budgets."


def _node(rule: BudgetRule) -> str:
    """The builder that a budget is for; empty for the engine's own."""
    return rule.scope.removeprefix(BUILDER_SCOPE) if rule.scope.startswith(BUILDER_SCOPE) else ""


def _not_pruned(scene: Scene, judgement: Judgement, rule: BudgetRule) -> str | None:
    """Why the build cache of one budget is left alone as a whole (H40)."""
    node = _node(rule)
    if node and builder_container(scene.inventory, node) is None:
        return f"Builder {node} does not run."
    return not_pruned(judgement, node)


def _prune(scene: Scene, rule: BudgetRule) -> Item:
    limits = PruneBounds(rule.min_age_seconds, rule.reserve_bytes, rule.max_bytes)
    container = builder_container(scene.inventory, _node(rule))
    container_id = container.id if container else ""
    return prune_item(limits, f"Its budget is {rule.scope}.", node=_node(rule), container_id=container_id)


def _records(judgement: Judgement, rule: BudgetRule) -> list[Key]:
    """The records that this budget lets go."""
    return [key for key in judgement.verdicts if key[0] == Kind.BUILD_CACHE and goes(judgement, key, rule.scope)]
