"""What removing a set frees, held against a brute-force model of layers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hygiene.reclaim import EMPTY_LAYER, Freed, Layers, LayerStore, chain_ids
from tests.hygiene.forest import Forest, a_record, forests


def some_of(draw: st.DataObject, names: list[str], label: str) -> set[str]:
    return draw.draw(st.sets(st.sampled_from(names)) if names else st.just(set()), label=label)


@pytest.mark.req("X3")
@settings(max_examples=200)
@given(forests(), st.data())
def test_what_a_set_of_images_frees_lies_between_the_bounds(forest: Forest, data: st.DataObject) -> None:
    going = some_of(data, list(forest.images), "images")
    freed = LayerStore(forest.layers()).freed_by(going)
    assert freed.at_least_bytes <= forest.freed(going, set()) <= freed.at_most_bytes


@pytest.mark.req("X3")
@given(forests(plain=True), st.data())
def test_where_the_histories_tell_every_layer_the_answer_is_exact(forest: Forest, data: st.DataObject) -> None:
    going = some_of(data, list(forest.images), "images")
    freed = LayerStore(forest.layers()).freed_by(going)
    truth = forest.freed(going, set())
    assert freed == Freed(truth, truth, 0, 0)
    assert freed.exact


@pytest.mark.req("X3")
@settings(max_examples=200)
@given(forests(with_cache=True), st.data())
def test_with_build_cache_what_is_freed_lies_between_the_bounds(forest: Forest, data: st.DataObject) -> None:
    images, records = some_of(data, list(forest.images), "images"), some_of(data, list(forest.held), "records")
    freed = LayerStore(forest.layers(), forest.records()).freed_by(images, records)
    assert freed.at_least_bytes <= forest.freed(images, records) <= freed.at_most_bytes


@pytest.mark.req("X3")
@given(forests(), st.data())
def test_beside_an_image_that_nobody_knows_nothing_is_certain(forest: Forest, data: st.DataObject) -> None:
    going = some_of(data, list(forest.images), "images")
    freed = LayerStore({**forest.layers(), "unknown": None}).freed_by(going)
    assert freed.at_least_bytes == 0
    assert freed.unknown_images == 0


def test_a_set_with_an_unknown_image_in_it_is_never_exact() -> None:
    store = LayerStore({"known": Layers(("a",), (5,)), "unknown": None})
    freed = store.freed_by(["known", "unknown"])
    assert freed.unknown_images == 1
    assert not freed.exact
    assert freed.at_least_bytes == 5


@pytest.mark.parametrize("sizes", [(), (5,), (5, 0), (5, 6, 7), (5, 6, 7, 0)])
def test_a_history_that_cannot_be_of_these_layers_makes_the_image_unknown(sizes: tuple[int, ...]) -> None:
    layers = ("a", "b", "c") if len(sizes) < 3 else ("a", "b")
    freed = LayerStore({"odd": Layers(layers, sizes)}).freed_by(["odd"])
    assert freed.unknown_images == 1


@pytest.mark.req("P24")
def test_a_layer_that_another_image_has_is_not_freed() -> None:
    store = LayerStore({"one": Layers(("base", "x"), (10, 1)), "two": Layers(("base", "y"), (10, 2))})
    assert store.freed_by(["one"]) == Freed(1, 1, 0, 0)
    assert store.freed_by(["one", "two"]) == Freed(13, 13, 0, 0)


def test_the_same_content_upon_another_base_is_another_layer() -> None:
    store = LayerStore({"one": Layers(("base", "x"), (10, 1)), "two": Layers(("other", "x"), (20, 1))})
    assert store.freed_by(["one"]) == Freed(11, 11, 0, 0)


def test_what_one_history_leaves_open_another_settles() -> None:
    ambiguous, settling = Layers(("a", "b", "c"), (0, 5, 0, 0, 7)), Layers(("a", "b"), (5, 0))
    store = LayerStore({"ambiguous": ambiguous, "settling": settling})
    assert store.freed_by(["ambiguous"]) == Freed(7, 7, 0, 0)


def test_a_layer_without_any_file_is_known_to_be_empty() -> None:
    store = LayerStore({"one": Layers(("a", EMPTY_LAYER, "b"), (0, 4, 0, 6)), "two": Layers(("a",), (4,))})
    assert store.freed_by(["one"]) == Freed(6, 6, 0, 0)


def test_a_history_that_tells_only_the_sum_gives_bounds() -> None:
    layers = {"one": Layers(("a", "b", "c"), (5, 0, 0, 7)), "two": Layers(("a", "x"), (5, 3))}
    freed = LayerStore(layers).freed_by(["one"])
    assert (freed.at_least_bytes, freed.at_most_bytes) == (7, 7)
    blurred = LayerStore(layers | {"two": Layers(("a", "x", "y"), (0, 5, 0, 3))}).freed_by(["one"])
    assert (blurred.at_least_bytes, blurred.at_most_bytes) == (0, 12)
    assert not blurred.exact


def test_a_layer_that_a_cache_record_holds_goes_with_the_record() -> None:
    layers = {"one": Layers(("a", "b"), (10, 3))}
    records = [a_record("r1", 10), a_record("r2", 3, "r1")]
    store = LayerStore(layers, records)
    assert store.freed_by(["one"]) == Freed(0, 0, 13, 0)
    assert store.freed_by(["one"], ["r2"]) == Freed(3, 3, 10, 0)
    assert store.freed_by(["one"], ["r1", "r2"]) == Freed(13, 13, 0, 0)


def test_a_record_of_its_own_holds_no_layer() -> None:
    store = LayerStore({"one": Layers(("a",), (10,))}, [a_record("r1", 10, shared=False)])
    assert store.freed_by(["one"]) == Freed(10, 10, 0, 0)


def test_where_a_record_may_hold_either_of_two_layers_nothing_is_promised() -> None:
    store = LayerStore({"one": Layers(("a",), (10,)), "two": Layers(("b",), (10,))}, [a_record("r1", 10)])
    freed = store.freed_by(["one"])
    assert (freed.at_least_bytes, freed.at_most_bytes) == (0, 10)


def test_while_a_shared_record_stays_a_layer_of_unknown_size_is_not_promised() -> None:
    layers = {"one": Layers(("a", "b", "c"), (5, 0, 0, 7))}
    freed = LayerStore(layers, [a_record("r1", 5)]).freed_by(["one"])
    assert (freed.at_least_bytes, freed.at_most_bytes) == (0, 12)


@pytest.mark.parametrize("parents", [("", "r1"), ("r2", "r1"), ("gone", "r1")])
def test_records_of_unknown_size_or_going_round_in_a_circle_promise_nothing(parents: tuple[str, str]) -> None:
    records = [a_record("r1", None, parents[0]), a_record("r2", 3, parents[1])]
    freed = LayerStore({"one": Layers(("a", "b"), (10, 3))}, records).freed_by(["one"])
    assert freed.at_least_bytes == 0
    assert freed.at_most_bytes == 13


@given(forests(with_cache=True), st.data())
def test_a_larger_set_never_frees_less(forest: Forest, data: st.DataObject) -> None:
    store = LayerStore(forest.layers(), forest.records())
    small = some_of(data, list(forest.images), "images")
    large = small | some_of(data, list(forest.images), "more")
    assert store.freed_by(small).at_least_bytes <= store.freed_by(large).at_least_bytes


@given(forests(plain=True), st.data())
def test_each_layer_is_attributed_once_to_the_first_group_that_has_it(forest: Forest, data: st.DataObject) -> None:
    groups = [some_of(data, list(forest.images), "group") for _ in range(3)]
    seen: set[str] = set()
    expected = []
    for group in groups:
        layers = {c for image in group for c in chain_ids(forest.images[image])} - seen
        expected.append(sum(forest.sizes[layer] for layer in layers))
        seen |= layers
    assert LayerStore(forest.layers()).attribute(groups) == expected


@given(forests(), st.data())
def test_what_is_attributed_is_never_more_than_there_is(forest: Forest, data: st.DataObject) -> None:
    groups = [some_of(data, list(forest.images), "group") for _ in range(3)]
    assert sum(LayerStore(forest.layers()).attribute(groups)) <= forest.total()
