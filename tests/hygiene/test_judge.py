"""The arithmetic over an inventory: what a set frees, what must be refused, and whose the bytes are."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hygiene.contracts import CacheRecord, Class, Confidence, History, Image, Inventory, Kind
from hygiene.judge import Judgement
from hygiene.reclaim import Layers
from tests.factories import a_container, a_volume, an_image, an_inventory
from tests.hygiene.forest import a_record, forests
from tests.hygiene.inventories import Scene, scenes
from tests.hygiene.judging import budget, policy

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG = History(NOW - timedelta(days=90), None, Confidence.NEVER_SEEN, NOW - timedelta(days=90), None)
RULES = policy(*(budget(scope, seconds=0) for scope in ("images", "images.dangling", "containers", "build_cache")))


def judge(inventory: Inventory, layers: Mapping[str, Layers] | None = None) -> Judgement:
    """Everything is here for 90 days, and every budget lets everything go at once."""
    keys = [(Kind.IMAGE, image.id) for image in inventory.images]
    keys += [(Kind.CONTAINER, container.id) for container in inventory.containers]
    return Judgement(inventory, dict.fromkeys(keys, LONG), RULES, layers or {}, now=NOW)


def two_images() -> tuple[Image, Image, dict[str, Layers]]:
    """Two images of one base of 10 bytes, with 1 and 2 bytes of their own."""
    one, two = an_image("web:1", size=11, shared=10), an_image("web:2", size=12, shared=10)
    return one, two, {one.id: Layers(("base", "x"), (10, 1)), two.id: Layers(("base", "y"), (10, 2))}


@pytest.mark.req("X3")
@pytest.mark.req("P24")
def test_images_free_their_common_base_only_together() -> None:
    one, two, layers = two_images()
    judgement = judge(an_inventory([one, two]), layers)
    assert judgement.reclaim([(Kind.IMAGE, one.id)]).freed_bytes == 1
    assert judgement.reclaim([(Kind.IMAGE, one.id), (Kind.IMAGE, two.id)]).freed_bytes == 13
    assert judgement.candidates().freed_bytes == 13


def test_the_same_resource_twice_frees_once() -> None:
    one, two, layers = two_images()
    found = judge(an_inventory([one, two]), layers).reclaim([(Kind.IMAGE, one.id)] * 2)
    assert found.freed_bytes == 1


@pytest.mark.req("H45")
def test_what_is_in_use_is_refused_with_its_reason_and_counts_for_nothing() -> None:
    one, two, layers = two_images()
    judgement = judge(an_inventory([one, two], containers=[a_container("web", one)]), layers)
    found = judgement.reclaim([(Kind.IMAGE, one.id), (Kind.IMAGE, two.id)])
    assert found.refused == ((Kind.IMAGE, one.id, "Used by container web."),)
    assert found.freed_bytes == 2


def test_what_is_not_there_any_more_is_refused() -> None:
    found = judge(an_inventory()).reclaim([(Kind.VOLUME, "gone")])
    assert found.refused == ((Kind.VOLUME, "gone", "It is not on this host any more."),)
    assert found.freed_bytes == 0


@pytest.mark.req("H7")
def test_an_image_whose_layers_are_not_known_leaves_the_sum_unknown_and_says_so() -> None:
    one, two, layers = two_images()
    del layers[two.id]
    judgement = judge(an_inventory([one, two]), layers)
    found = judgement.reclaim([(Kind.IMAGE, two.id)])
    assert (found.freed_bytes, found.at_most_bytes) == (None, None)
    assert "The layers of 1 of these images could not be read." in found.sentences
    assert judgement.frees_alone((Kind.IMAGE, two.id)) is None


@pytest.mark.req("H46")
def test_a_volume_of_unknown_size_leaves_the_sum_unknown() -> None:
    judgement = judge(an_inventory(volumes=[a_volume("a", size=None), a_volume("b", size=5)]))
    assert judgement.reclaim([(Kind.VOLUME, "a"), (Kind.VOLUME, "b")]).freed_bytes is None
    assert judgement.frees_alone((Kind.VOLUME, "a")) is None
    assert judgement.frees_alone((Kind.VOLUME, "b")) == 5


def in_builder(record: CacheRecord, builder: str) -> CacheRecord:
    return record.model_copy(update={"builder": builder})


def a_left_over_builder() -> Inventory:
    """A state volume of 50 bytes, 20 of them a record that is listed."""
    from hygiene.parse.builders import pair

    volume = a_volume("buildx_buildkit_ci0_state", size=50)
    record = in_builder(a_record("r1", 20, shared=False), "ci0")
    record = record.model_copy(update={"created_at": NOW - timedelta(days=90)})
    return an_inventory(volumes=[volume], cache=[record], builders=pair([], [volume], {}, {}))


def test_the_records_of_a_builder_go_with_its_volume_and_count_once() -> None:
    judgement = judge(a_left_over_builder())
    assert judgement.reclaim([(Kind.VOLUME, "buildx_buildkit_ci0_state")]).freed_bytes == 50
    both = judgement.reclaim([(Kind.VOLUME, "buildx_buildkit_ci0_state"), (Kind.BUILD_CACHE, "ci0/r1")])
    assert both.freed_bytes == 50
    assert judgement.reclaim([(Kind.BUILD_CACHE, "ci0/r1")]).freed_bytes == 20


def test_a_volume_and_the_records_in_it_are_told_apart_by_class() -> None:
    totals = judge(a_left_over_builder()).by_class()
    assert (totals[Class.CANDIDATE], totals[Class.KEPT]) == (30, 20)


def test_a_record_that_others_were_made_upon_is_refused_while_they_stay() -> None:
    old = {"created_at": NOW - timedelta(days=90)}
    lower = a_record("r1", 20, shared=False).model_copy(update=old)
    upper = a_record("r2", 5, "r1", shared=False).model_copy(update=old)
    judgement = judge(an_inventory(cache=[lower, upper]))
    assert judgement.reclaim([(Kind.BUILD_CACHE, "r1")]).refused[0][:2] == (Kind.BUILD_CACHE, "r1")
    assert judgement.frees_alone((Kind.BUILD_CACHE, "r1")) == 0
    assert judgement.reclaim([(Kind.BUILD_CACHE, "r1"), (Kind.BUILD_CACHE, "r2")]).freed_bytes == 25


@pytest.mark.parametrize("missing", ["docker_summary", "build_cache"])
def test_without_the_build_cache_nobody_knows_what_images_free(missing: str) -> None:
    one, two, layers = two_images()
    judgement = judge(an_inventory([one, two], unmeasured={missing: "timed out"}), layers)
    assert judgement.reclaim([(Kind.IMAGE, one.id)]).freed_bytes is None
    assert judgement.frees_alone((Kind.IMAGE, one.id)) is None


def test_layers_that_no_listed_image_has_count_as_unknown() -> None:
    one, two, layers = two_images()
    inventory = an_inventory([one, two]).model_copy(update={"layers_bytes": 100})
    totals = judge(inventory, layers).by_class()
    assert totals[Class.CANDIDATE] == 13
    assert totals[Class.UNKNOWN] == 87


def layers_of(inventory: Inventory, draw: st.DataObject) -> dict[str, Layers]:
    """Layers for some of the images of an inventory, out of a random forest."""
    forest = draw.draw(forests(plain=True), label="forest")
    return dict(zip([image.id for image in inventory.images], forest.layers().values(), strict=False))


@settings(max_examples=60)
@given(scenes(), st.data())
def test_the_bytes_of_the_classes_are_disjoint_and_add_up(scene: Scene, data: st.DataObject) -> None:
    layers = layers_of(scene.inventory, data)
    sizes = {chain: size for each in layers.values() for chain, size in _chain_sizes(each)}
    inventory = scene.inventory.model_copy(update={"layers_bytes": sum(sizes.values()) + 7})
    totals = Judgement(inventory, scene.history, scene.policy, layers, now=NOW).by_class()
    assert min(totals.values()) >= 0
    assert sum(totals.values()) == sum(sizes.values()) + 7 + _own_bytes(inventory)


def _chain_sizes(layers: Layers) -> Any:
    from hygiene.reclaim import chain_ids

    return zip(chain_ids(layers.layers), layers.sizes, strict=True)


def _own_bytes(inventory: Inventory) -> int:
    """Containers, volumes and build cache; what lies in a builder's volume counts once, as the larger of the two."""
    volume_of = {builder.name: builder.volume for builder in inventory.builders}
    inside: dict[str, int] = {}
    loose = 0
    for record in inventory.build_cache:
        volume = volume_of.get(record.builder) if record.builder else None
        size = 0 if record.shared and not record.builder else record.size_bytes or 0
        if volume in {known.name for known in inventory.volumes if known.size_bytes is not None}:
            inside[volume or ""] = inside.get(volume or "", 0) + size
        else:
            loose += size
    volumes = sum(max(volume.size_bytes or 0, inside.get(volume.name, 0)) for volume in inventory.volumes)
    return volumes + loose + sum(container.size_rw_bytes or 0 for container in inventory.containers)


@settings(max_examples=60)
@given(scenes(), st.data())
def test_what_a_set_frees_is_none_or_within_its_bounds(scene: Scene, data: st.DataObject) -> None:
    judgement = Judgement(scene.inventory, scene.history, scene.policy, layers_of(scene.inventory, data), now=NOW)
    keys = data.draw(st.lists(st.sampled_from(sorted(judgement.verdicts))) if judgement.verdicts else st.just([]))
    found = judgement.reclaim(keys)
    if found.freed_bytes is None or found.at_most_bytes is None:
        assert found.sentences
    else:
        assert 0 <= found.freed_bytes <= found.at_most_bytes
    for kind, key, reason in found.refused:
        assert (kind, key) in keys
        assert reason
