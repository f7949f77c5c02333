"""The one canonical text and its digest."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from launchplane.canonical import canonical, digest
from tests.factories import a_busy_inventory


def test_keys_are_sorted_by_utf_16_as_the_rfc_says() -> None:
    assert canonical({"\U0001f600": 1, "\ufb33": 2}) == '{"\U0001f600":1,"\ufb33":2}'.encode()


def test_equal_contracts_have_equal_text_whatever_the_order_of_their_labels() -> None:
    inventory = a_busy_inventory()
    image = inventory.images[0].model_copy(update={"labels": {"a": "1", "b": "2"}})
    turned = image.model_copy(update={"labels": {"b": "2", "a": "1"}})
    assert canonical(image) == canonical(turned)


LEAVES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8)
NAMES = st.text(max_size=4) | st.text('a\x7f"\\\0\n\ufb33\U0001f600', max_size=3)


def dumped(value: object, dumps: Callable[[Any], bytes]) -> bytes | None:
    try:
        return bytes(dumps(value))
    except ValueError:
        return None


@given(st.dictionaries(NAMES, st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))))
def test_what_is_written_fast_is_written_the_same(value: dict[str, object]) -> None:
    assert dumped(value, canonical) == dumped(value, rfc8785.dumps)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**60, -(2**60), "\ud800"])
def test_what_the_form_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical({"value": value})


def test_the_digest_is_of_the_bytes() -> None:
    text = canonical({"b": 1, "a": None})
    assert text == b'{"a":null,"b":1}'
    assert digest(text) == hashlib.sha256(b'{"a":null,"b":1}').hexdigest()
