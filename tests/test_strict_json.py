"""JSON from outside: what could mean two things, or what no database holds, is refused with a sentence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchplane.strict_json import DEEPEST, LARGEST, BadJson, read

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)

REFUSED = {
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "1e999": b'{"a": 1e999}',
    "a float": b'{"a": 1.0}',
    "a small float": b'{"a": 1e-2}',
    "5,000 digits": b'{"a": %s}' % (b"9" * 5000),
    "beyond 2**53": b'{"a": 9007199254740992}',
    "10,000 levels of lists": b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "10,000 levels of objects": b'{"a": ' * 10_000 + b"1" + b"}" * 10_000,
    "one level too many": b'{"a": ' + b"[" * DEEPEST + b"]" * DEEPEST + b"}",
    "a name twice": b'{"a": 1, "a": 2}',
    "a name twice, written in two ways": b'{"a": 1, "\\u0061": 2}',
    "a name twice, deep": b'{"a": [{"b": {"c": 1, "c": 1}}]}',
    "NUL": b'{"a": "\\u0000"}',
    "NUL in a name": b'{"\\u0000": 1}',
    "a raw NUL": b'{"a": "\0"}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate in a name": b'{"\\udfff": 1}',
    "surrogates the wrong way round": b'{"a": "\\udc00\\ud800"}',
    "a surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "a BOM": b'\xef\xbb\xbf{"a": 1}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "an overlong character": b'{"a": "\xc0\xaf"}',
    "nothing": b"",
    "blanks": b"  ",
    "a list": b"[]",
    "a text": b'"a"',
    "null": b"null",
    "half of it": b'{"a": ',
    "more after it": b'{"a": 1} {"a": 2}',
    "a comma too many": b'{"a": 1,}',
    "a comment": b'{"a": 1 /* why */}',
    "single quotes": b"{'a': 1}",
    "a raw line end in a text": b'{"a": "\n"}',
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_a_sentence(raw: bytes) -> None:
    with pytest.raises(BadJson) as refused:
        read(raw)

    assert refused.value.code == "bad_json"
    assert 10 < len(refused.value.sentence) < 200


@given(st.dictionaries(TEXT, PLAIN, max_size=4))
def test_what_means_one_thing_is_read_as_that(said: dict[str, object]) -> None:
    assert read(json.dumps(said).encode()) == said
    assert read(json.dumps(said, ensure_ascii=False).encode()) == said


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused_and_nothing_else(raw: bytes) -> None:
    try:
        read(raw)
    except BadJson as refused:
        assert refused.sentence


def test_the_largest_numbers_and_the_deepest_lists_are_read() -> None:
    deepest = b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1)

    assert read(b'{"a": %d, "b": -%d}' % (LARGEST, LARGEST)) == {"a": LARGEST, "b": -LARGEST}
    assert list(read(b'{"a": ' + deepest + b"}")) == ["a"]
