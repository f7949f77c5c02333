"""What changed between two snapshots."""

from typing import Any

import pytest
from hypothesis import given, settings

from hygiene.contracts import Inventory, Key, Kind
from hygiene.difference import KINDS, Difference, Line, difference
from hygiene.parse.builders import pair
from tests.factories import a_busy_inventory, a_container, a_volume, an_image, an_inventory
from tests.hygiene.forest import a_record
from tests.hygiene.inventories import inventories, keys_of
from tests.hygiene.test_builders import a_builder_container, state_of

GB = 10**9
IMAGE = an_image("web:1", "web:2")
WEB = a_container("web", IMAGE)
DATA = a_volume("data")
BUILDERS = pair([a_builder_container("ci0")], [state_of("ci0")], {}, {})
BEFORE = an_inventory([IMAGE], containers=[WEB], volumes=[DATA], cache=[a_record("r1", 5)], builders=BUILDERS)


def test_equal_inventories_do_not_differ() -> None:
    assert difference(a_busy_inventory(), an_inventory()).added == ()
    same = a_busy_inventory()
    assert difference(same, same) == Difference((), (), ())


def test_what_is_new_and_what_is_gone_stand_with_their_size_largest_first() -> None:
    found = difference(an_inventory(volumes=[DATA]), an_inventory([IMAGE], volumes=[a_volume("more", size=2 * GB)]))
    assert found.added == (
        Line(Kind.VOLUME, "more", "more", 2 * GB, "new"),
        Line(Kind.IMAGE, IMAGE.id, "web:1", GB, "new"),
    )
    assert found.gone == (Line(Kind.VOLUME, "data", "data", GB, "gone"),)


@pytest.mark.parametrize(
    ("field", "changes", "what"),
    [
        ("images", {"tags": ("web:2",)}, "tags web:1, web:2 → web:2"),
        ("images", {"tags": ()}, "tags web:1, web:2 → none"),
        ("images", {"size_bytes": None}, "size 1 GB → not measured"),
        ("containers", {"state": "exited"}, "state running → exited"),
        ("containers", {"size_rw_bytes": GB, "state": "dead"}, "size 12.35 MB → 1 GB, state running → dead"),
        ("volumes", {"ref_count": 2}, "references 0 → 2"),
        ("volumes", {"ref_count": None}, "references 0 → not known"),
        ("build_cache", {"size_bytes": 6}, "size 5 B → 6 B"),
        ("builders", {"state": "stopped"}, "state running → stopped"),
    ],
)
def test_a_change_is_said_in_words(field: str, changes: dict[str, Any], what: str) -> None:
    (item,) = getattr(BEFORE, field)
    after = BEFORE.model_copy(update={field: (item.model_copy(update=changes),)})
    assert [line.what for line in difference(BEFORE, after).changed] == [what]


def test_a_change_that_matters_to_nobody_is_left_out() -> None:
    after = BEFORE.model_copy(update={"volumes": (DATA.model_copy(update={"labels": {"a": "b"}}),)})
    assert difference(BEFORE, after).changed == ()


@pytest.mark.req("H7")
@pytest.mark.parametrize(
    ("field", "hidden"),
    [
        ("images", ["images"]),
        ("containers", ["containers", "builders"]),
        ("volumes", ["volumes", "builders"]),
        ("build_cache", ["build cache"]),
        ("docker_summary", ["build cache"]),
    ],
)
def test_what_could_not_be_listed_has_neither_come_nor_gone(field: str, hidden: list[str]) -> None:
    nothing, everything = an_inventory(), set(keys_of(BEFORE))
    partial = nothing.model_copy(update={"unmeasured": {field: "timed out"}})
    forwards, backwards = difference(BEFORE, partial), difference(partial, BEFORE)
    assert forwards.not_compared == backwards.not_compared == tuple(hidden)
    lost = {(line.kind, line.key) for line in forwards.gone}
    words = {KINDS[kind] for kind, _ in everything - lost}
    assert words == set(hidden)
    assert {(line.kind, line.key) for line in backwards.added} == lost


@pytest.mark.req("H7")
@pytest.mark.parametrize(
    "changes",
    [
        {"builders": pair([a_builder_container("ci0", state="exited")], [state_of("ci0")], {}, {})},
        {"builders": BUILDERS, "unmeasured": {"builder:ci0": "timed out"}},
    ],
    ids=["stopped", "silent"],
)
def test_the_build_cache_of_a_builder_that_was_not_asked_is_not_gone(changes: dict[str, Any]) -> None:
    record = a_record("r1", 5).model_copy(update={"builder": "ci0"})
    asked = an_inventory(cache=[record, a_record("r2", 5)], builders=BUILDERS)
    found = difference(asked, an_inventory(**changes))
    assert [line.key for line in found.gone] == ["r2"]
    assert found.not_compared == ("build cache of builder ci0",)


def test_the_build_cache_of_a_builder_that_is_gone_is_gone_with_it() -> None:
    record = a_record("r1", 5).model_copy(update={"builder": "ci0"})
    found = difference(an_inventory(cache=[record], builders=BUILDERS), an_inventory())
    assert [line.key for line in found.gone] == ["ci0/r1", "ci0"]
    assert found.not_compared == ()


@settings(max_examples=40)
@given(inventories(), inventories())
def test_every_resource_is_new_or_gone_or_in_both(older: Inventory, newer: Inventory) -> None:
    found = difference(older, newer)
    before, after = (set(compared(each, found)) for each in (older, newer))
    assert {(line.kind, line.key) for line in found.added} == after - before
    assert {(line.kind, line.key) for line in found.gone} == before - after
    assert {(line.kind, line.key) for line in found.changed} <= before & after


def compared(inventory: Inventory, found: Difference) -> list[Key]:
    """The keys of what is not said to be left out."""
    nodes = {words.removeprefix("build cache of builder ") for words in found.not_compared}
    return [
        key
        for key in keys_of(inventory)
        if KINDS[key[0]] not in found.not_compared
        and not (key[0] == Kind.BUILD_CACHE and key[1].partition("/")[0] in nodes)
    ]


@settings(max_examples=40)
@given(inventories(), inventories())
def test_looked_at_backwards_what_came_has_gone(older: Inventory, newer: Inventory) -> None:
    forwards, backwards = difference(older, newer), difference(newer, older)
    assert [line.key for line in forwards.added] == [line.key for line in backwards.gone]
    assert {line.key for line in forwards.changed} == {line.key for line in backwards.changed}
