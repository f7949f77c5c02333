"""Of no host whatever can a plan be made that holds more than its kind may do (H29, H30, H45, P7, P9, P10, D4)."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.contracts import Class, Kind
from hygiene.judge import Judgement
from hygiene.labels import carries
from hygiene.plan.aged import plan_aged
from hygiene.plan.build_cache import plan_build_cache
from hygiene.plan.dangling import plan_dangling
from hygiene.plan.drift import differences
from hygiene.plan.items import KINDS, VERBS
from hygiene.plan.retire import plan_retire
from hygiene.plan.scene import Scene, without
from launchplane.changes.contracts import Plan
from tests.hygiene.inventories import scenes as random_hosts
from tests.hygiene.judging import NOW
from tests.hygiene_changes.scenes import LATELY, a_scene

MAY = {
    "hygiene.build-cache": {"prune-build-cache", "prune-builder"},
    "hygiene.dangling": {"remove-image"},
    "hygiene.aged": {"remove-container", "remove-image", "prune-build-cache"},
    "hygiene.retire": {"remove-container", "remove-volume", "remove-image"},
}


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    host = draw(random_hosts())
    applied = frozenset(draw(st.sets(st.sampled_from(scopes)))) if (scopes := scopes_of(host.policy.budgets)) else set()
    phase_one = draw(st.sampled_from([None, LATELY]))
    return a_scene(host.inventory, rules=host.policy, history=host.history, phase_one=phase_one, applied=applied)


def scopes_of(budgets: tuple[object, ...]) -> list[str]:
    return [budget.scope for budget in budgets]  # type: ignore[attr-defined]


def everything_named(scene: Scene) -> list[str]:
    """Every thing on the host, by name, all at once."""
    return [
        *(f"image:{image.id}" for image in scene.inventory.images),
        *(f"container:{container.id}" for container in scene.inventory.containers),
        *(f"volume:{volume.name}" for volume in scene.inventory.volumes),
        *(f"builder:{builder.name}" for builder in scene.inventory.builders),
    ]


def one_by_one(scene: Scene) -> list[Plan]:
    return [plan_retire(scene, [name]) for name in everything_named(scene)]


def containers_of(plan: Plan) -> set[str]:
    return {step.target for step in plan.steps if KINDS[step.verb] is Kind.CONTAINER}


def judged_without(scene: Scene, containers: set[str]) -> Judgement:
    going = [container for container in scene.inventory.containers if container.id in containers]
    return scene.judge(inventory=without(scene.inventory, going))


def routine(scene: Scene) -> list[Plan]:
    return [plan_build_cache(scene), plan_dangling(scene), plan_aged(scene)]


@pytest.mark.req("H29")
@pytest.mark.req("H30")
@pytest.mark.req("P9")
@pytest.mark.req("P10")
@given(scene=scenes())
def test_a_plan_does_what_its_kind_may_and_declares_exactly_that(scene: Scene) -> None:
    for plan in (*routine(scene), plan_retire(scene, everything_named(scene))):
        verbs = [step.verb for step in plan.steps]
        assert set(verbs) <= MAY[plan.kind]
        assert {call.name: call.at_most for call in plan.boundary.calls} == Counter(VERBS[verb] for verb in verbs)
        assert len({(step.verb, step.target) for step in plan.steps}) == len(plan.steps)


@pytest.mark.req("H45")
@given(scene=scenes())
def test_no_routine_takes_what_is_protected_used_or_not_known(scene: Scene) -> None:
    verdicts = scene.judge().verdicts
    for plan in routine(scene):
        for step in plan.steps:
            if step.verb in KINDS:
                assert verdicts[KINDS[step.verb], step.target].cls in (Class.CANDIDATE, Class.KEPT)


@pytest.mark.req("H45")
@given(scene=scenes())
def test_no_ready_retirement_takes_what_is_protected_used_or_not_known(scene: Scene) -> None:
    """A builder's name means its container and the volume that only this container holds: they go together."""
    for plan in one_by_one(scene):
        for step in plan.steps if plan.status == "ready" else ():
            key = KINDS[step.verb], step.target
            as_seen = scene.judge() if key[0] is Kind.CONTAINER else judged_without(scene, containers_of(plan))
            assert as_seen.verdicts[key].cls in (Class.CANDIDATE, Class.KEPT)


@pytest.mark.req("D2")
@pytest.mark.req("D4")
@given(scene=scenes())
def test_the_loop_takes_dangling_images_with_the_label_and_no_other(scene: Scene) -> None:
    images = {image.id: image for image in scene.inventory.images}
    for step in plan_dangling(scene).steps:
        assert images[step.target].dangling
        assert carries(images[step.target].labels, scene.policy.managed_label)


@pytest.mark.req("P7")
@given(scene=scenes())
def test_what_is_left_over_is_a_day_old_at_least_and_nothing_of_a_builder(scene: Scene) -> None:
    day = NOW - timedelta(hours=24)
    images = {image.id: image for image in scene.inventory.images}
    containers = {container.id: container for container in scene.inventory.containers}
    for step in plan_aged(scene).steps:
        if step.verb == "remove-image":
            image, past = images[step.target], scene.history[Kind.IMAGE, step.target]
            assert image.dangling
            assert image.created_at is not None and image.created_at <= day
            assert past.dangling_since is not None and past.dangling_since <= day
        elif step.verb == "remove-container":
            container = containers[step.target]
            assert not container.alive
            assert not container.name.startswith("buildx_buildkit_")
            assert container.created_at is not None and container.created_at <= day
        else:
            assert int(str(step.expected["min_age_seconds"])) >= 86_400


@pytest.mark.req("H29")
@given(scene=scenes())
def test_build_cache_is_pruned_once_for_each_budget_and_only_in_required_builders(scene: Scene) -> None:
    for step in plan_build_cache(scene).steps:
        if step.verb == "prune-builder":
            assert any(step.target.startswith(name) for name in scene.policy.required_builders)
        budget = scene.applied_budget(f"builder:{step.target}" if step.verb == "prune-builder" else "build_cache")
        assert budget is not None
        assert step.expected["keep_bytes"] == budget.reserve_bytes
        assert step.expected["max_bytes"] == budget.max_bytes


@pytest.mark.req("H45")
@given(scene=scenes())
def test_no_prune_is_planned_where_it_could_not_spare_what_is_protected(scene: Scene) -> None:
    verdicts = scene.judge().verdicts
    for plan in routine(scene):
        for step in plan.steps:
            if step.verb not in KINDS:
                node = step.target if step.verb == "prune-builder" else ""
                inside = [record.key for record in scene.inventory.build_cache if record.builder == node]
                assert all(verdicts[Kind.BUILD_CACHE, key].cls != Class.PROTECTED for key in inside)


@pytest.mark.req("X1")
@given(scene=scenes())
def test_what_is_as_it_was_planned_differs_in_nothing(scene: Scene) -> None:
    quiet = {key: past for key, past in scene.history.items() if past.last_used_at is None or past.last_used_at <= NOW}
    if quiet.keys() != scene.history.keys():
        return
    for plan in (*routine(scene), *one_by_one(scene)):
        if plan.status == "ready":
            assert differences(plan, scene) == ()
