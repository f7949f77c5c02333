"""What changed between two snapshots."""

from typing import Any

import pytest
from hypothesis import given, settings

from hygiene.contracts import Inventory, Kind
from hygiene.difference import Difference, Line, difference
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


@settings(max_examples=40)
@given(inventories(), inventories())
def test_every_resource_is_new_or_gone_or_in_both(older: Inventory, newer: Inventory) -> None:
    found = difference(older, newer)
    before, after = set(keys_of(older)), set(keys_of(newer))
    assert {(line.kind, line.key) for line in found.added} == after - before
    assert {(line.kind, line.key) for line in found.gone} == before - after
    assert {(line.kind, line.key) for line in found.changed} <= before & after


@settings(max_examples=40)
@given(inventories(), inventories())
def test_looked_at_backwards_what_came_has_gone(older: Inventory, newer: Inventory) -> None:
    forwards, backwards = difference(older, newer), difference(newer, older)
    assert [line.key for line in forwards.added] == [line.key for line in backwards.gone]
    assert {line.key for line in forwards.changed} == {line.key for line in backwards.changed}
