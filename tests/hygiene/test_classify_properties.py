"""Whatever a host holds and an operator says: one class each, and nothing that must stay is ever a candidate."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.classify import Verdict, classify
from hygiene.contracts import Class, Key, Kind
from hygiene.parse.builders import answers_to
from tests.hygiene.inventories import NOW, Scene, budgets, keys_of, scenes

BYTES_OR_TIME = re.compile(r"\d+(\.\d+)? (B|kB|s|min|h|days?)\b|at once")


def judged(scene: Scene) -> dict[Key, Verdict]:
    return classify(scene.inventory, scene.history, scene.policy, now=NOW)


def candidates(scene: Scene) -> set[Key]:
    return {key for key, verdict in judged(scene).items() if verdict.cls == Class.CANDIDATE}


@given(scenes())
def test_every_resource_gets_exactly_one_class_with_a_rule_and_a_sentence(scene: Scene) -> None:
    verdicts = judged(scene)
    assert sorted(verdicts) == sorted(keys_of(scene.inventory))
    for verdict in verdicts.values():
        assert isinstance(verdict.cls, Class)
        assert verdict.rule
        assert verdict.reason.endswith(".")


@given(scenes())
def test_the_same_facts_always_give_the_same_verdicts_in_the_same_order(scene: Scene) -> None:
    assert list(judged(scene).items()) == list(judged(scene).items())


@pytest.mark.req("H47")
@given(scenes(), st.randoms(use_true_random=False))
def test_the_order_of_the_resources_changes_no_verdict(scene: Scene, random: object) -> None:
    shuffled = {
        field: tuple(random.sample(found, len(found)))  # type: ignore[attr-defined]
        for field in ("images", "containers", "volumes", "build_cache", "builders")
        for found in [getattr(scene.inventory, field)]
    }
    other = Scene(scene.inventory.model_copy(update=shuffled), scene.history, scene.policy)
    decided = {key: (verdict.cls, verdict.rule) for key, verdict in judged(other).items()}
    assert decided == {key: (verdict.cls, verdict.rule) for key, verdict in judged(scene).items()}


@pytest.mark.req("H45")
@given(scenes(), st.lists(budgets(), max_size=6, unique_by=lambda budget: budget.scope))
def test_what_is_protected_stays_so_whatever_the_budgets(scene: Scene, others: list[object]) -> None:
    def protected(scene: Scene) -> set[Key]:
        return {key for key, verdict in judged(scene).items() if verdict.cls == Class.PROTECTED}

    assert protected(scene) == protected(scene.with_policy(budgets=tuple(others)))


@pytest.mark.req("H45")
@given(scenes())
def test_what_a_protection_names_is_protected(scene: Scene) -> None:
    verdicts = judged(scene)
    for key in named_by_protections(scene):
        assert verdicts[key].cls == Class.PROTECTED


def named_by_protections(scene: Scene) -> set[Key]:
    """The keys of what the rules match, found by Python's own regular expressions."""
    inventory, found = scene.inventory, set[Key]()
    names: list[tuple[Key, list[str], dict[str, str]]] = [
        *(((Kind.IMAGE, i.id), [*i.tags, i.id], dict(i.labels)) for i in inventory.images),
        *(((Kind.CONTAINER, c.id), [c.name, c.id], dict(c.labels)) for c in inventory.containers),
        *(((Kind.VOLUME, v.name), [v.name], dict(v.labels)) for v in inventory.volumes),
        *(((Kind.BUILD_CACHE, r.key), [r.id, r.key], {}) for r in inventory.build_cache),
        *(((Kind.BUILDER, b.name), [b.name], {}) for b in inventory.builders),
    ]
    for rule in scene.policy.protections:
        for key, called, labels in names:
            texts = [f"{name}={value}" for name, value in labels.items()] if rule.kind == "label" else called
            if rule.kind in (key[0], "any", "label") and any(re.search(rule.pattern, text) for text in texts):
                found.add(key)
    return found


@pytest.mark.req("H43")
@given(scenes())
def test_each_part_of_a_required_builder_is_protected_even_when_it_is_stopped(scene: Scene) -> None:
    verdicts = judged(scene)
    for builder in scene.inventory.builders:
        if any(answers_to(builder.name, name) for name in scene.policy.required_builders):
            parts = [
                (Kind.CONTAINER, builder.container_id),
                (Kind.VOLUME, builder.volume),
                (Kind.IMAGE, builder.image_id),
            ]
            for kind, key in [(Kind.BUILDER, builder.name), *parts]:
                assert (kind, key) not in verdicts or verdicts[kind, key or ""].cls == Class.PROTECTED


@given(scenes())
def test_nothing_that_something_alive_uses_is_a_candidate(scene: Scene) -> None:
    going = candidates(scene)
    for container in scene.inventory.containers:
        if container.alive:
            mounted = {(Kind.VOLUME, mount.source) for mount in container.mounts if mount.kind == "volume"}
            assert going.isdisjoint({(Kind.CONTAINER, container.id), (Kind.IMAGE, container.image_id)} | mounted)
    for service in scene.inventory.services or ():
        assert going.isdisjoint((Kind.VOLUME, name) for name in service.volumes)
        for image in scene.inventory.images:
            if service.image in image.tags or f"{service.image}:latest" in image.tags:
                assert (Kind.IMAGE, image.id) not in going
    for record in scene.inventory.build_cache:
        assert not record.in_use or (Kind.BUILD_CACHE, record.key) not in going
    for builder in scene.inventory.builders:
        assert builder.state != "running" or (Kind.BUILDER, builder.name) not in going


@given(scenes())
def test_nothing_that_a_stopped_container_has_goes_without_it(scene: Scene) -> None:
    going = candidates(scene)
    for container in scene.inventory.containers:
        had = {(Kind.IMAGE, container.image_id)} | {
            (Kind.VOLUME, m.source) for m in container.mounts if m.kind == "volume"
        }
        assert (Kind.CONTAINER, container.id) in going or going.isdisjoint(had)


@pytest.mark.req("H46")
@given(scenes())
def test_nothing_of_unknown_size_or_age_is_a_candidate_of_a_budget(scene: Scene) -> None:
    verdicts = judged(scene)
    inventory = scene.inventory
    unknown: list[Key] = [
        *((Kind.IMAGE, i.id) for i in inventory.images if i.unique_bytes is None or i.created_at is None),
        *((Kind.CONTAINER, c.id) for c in inventory.containers if c.size_rw_bytes is None or c.created_at is None),
        *((Kind.BUILD_CACHE, r.key) for r in inventory.build_cache if r.size_bytes is None),
        *((Kind.BUILD_CACHE, r.key) for r in inventory.build_cache if not (r.last_used_at or r.created_at)),
        *(key for key in keys_of(inventory) if key[0] in (Kind.IMAGE, Kind.CONTAINER) and key not in scene.history),
    ]
    for key in unknown:
        assert verdicts[key].cls != Class.CANDIDATE or verdicts[key].rule == "builder.orphan"


@pytest.mark.req("P10")
@given(scenes())
def test_no_volume_is_a_candidate_unless_its_builder_is_left_over(scene: Scene) -> None:
    for key, verdict in judged(scene).items():
        if key[0] == Kind.VOLUME and verdict.cls == Class.CANDIDATE:
            assert verdict.rule == "builder.orphan"


@given(scenes())
def test_without_the_list_of_containers_no_image_volume_or_builder_is_a_candidate(scene: Scene) -> None:
    blind = scene.inventory.model_copy(update={"unmeasured": {"containers": "timed out"}})
    for kind, _ in candidates(Scene(blind, scene.history, scene.policy)):
        assert kind in (Kind.CONTAINER, Kind.BUILD_CACHE)


@given(scenes())
def test_without_the_list_of_services_no_volume_or_builder_is_a_candidate_and_no_volume_kept(scene: Scene) -> None:
    blind = {"services": None, "unmeasured": {"services": "a worker cannot see them"}}
    verdicts = judged(Scene(scene.inventory.model_copy(update=blind), scene.history, scene.policy))
    for (kind, _), verdict in verdicts.items():
        assert kind != Kind.VOLUME or verdict.cls not in (Class.CANDIDATE, Class.KEPT)
        assert kind != Kind.BUILDER or verdict.cls != Class.CANDIDATE


@given(scenes(), st.integers(0, 5), st.integers(1, 60 * 86_400))
def test_a_longer_age_in_a_budget_never_adds_a_candidate(scene: Scene, which: int, more: int) -> None:
    rules = list(scene.policy.budgets)
    if rules:
        rule = rules[which % len(rules)]
        longer = rule.model_copy(update={"min_age_seconds": rule.min_age_seconds + more})
        tightened = tuple(longer if each is rule else each for each in rules)
        assert candidates(scene.with_policy(budgets=tightened)) <= candidates(scene)


@given(scenes())
def test_without_budgets_only_what_is_left_over_from_builders_could_go(scene: Scene) -> None:
    verdicts = judged(scene.with_policy(budgets=()))
    assert {v.rule for v in verdicts.values() if v.cls == Class.CANDIDATE} <= {"builder.orphan"}


@given(scenes())
def test_a_verdict_by_a_budget_names_the_bound_that_decided(scene: Scene) -> None:
    for verdict in judged(scene).values():
        if verdict.rule.startswith("budget."):
            scope = verdict.rule.removeprefix("budget.")
            assert any(
                budget.scope in verdict.reason and scope.startswith(budget.scope) for budget in scene.policy.budgets
            )
            assert BYTES_OR_TIME.search(verdict.reason), verdict.reason
