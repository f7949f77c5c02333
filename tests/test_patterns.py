"""Patterns that operators write: checked when saved, and unable to hang whoever matches them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchplane.patterns import LONGEST_PATTERN, BadPattern, PatternSet, check

LARGE = [f"(?:[a-z]*[0-9]){{0,200}}Z{number}" for number in range(200)]


@pytest.mark.req("H45")
@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)*b", "(.*)*x", "(a|b)*a(a|b){100}d"])
def test_an_exploding_pattern_is_matched_against_a_long_text_at_once(pattern: str) -> None:
    assert PatternSet([pattern]).first("a" * 100_000 + "c") is None


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("", "match everything"),
        ("(", "missing )"),
        ("[", "missing ]"),
        ("*", "no argument for repetition"),
        ("a{1001}", "invalid repetition size"),
        (r"(a)\1", "invalid escape sequence"),
        ("(?=a)", "invalid perl operator"),
        ("a" * (LONGEST_PATTERN + 1), "may have 500 characters, this one has 501"),
        ("((((a{100}){100}){100}))", "invalid repetition size"),
    ],
)
def test_a_bad_pattern_is_refused_with_a_sentence(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(why)):
        check(pattern)


def test_one_bad_pattern_among_many_leaves_no_half_made_set() -> None:
    with pytest.raises(BadPattern):
        PatternSet(["fine", "(", "fine too"])


def test_the_first_of_the_patterns_that_are_found_counts() -> None:
    patterns = PatternSet(["z", "b", "a"])
    assert patterns.first("ab") == 1
    assert patterns.first("a") == 2
    assert patterns.first("") is None


def test_a_set_without_patterns_finds_nothing() -> None:
    assert PatternSet([]).first("anything") is None


def test_patterns_that_are_too_large_together_are_searched_one_by_one() -> None:
    patterns = PatternSet([*LARGE, "needle$", "^needle"])
    assert patterns.first("haystack needle") == 200
    assert patterns.first("needle haystack") == 201
    assert patterns.first("haystack") is None


@given(st.text(max_size=30))
def test_checking_any_text_either_passes_or_says_why(pattern: str) -> None:
    try:
        check(pattern)
    except BadPattern as bad:
        assert str(bad)
    else:
        PatternSet([pattern]).first("some text\nof two lines")


@given(
    st.lists(st.sampled_from(["a", "b$", "^c", "a.c", "[0-9]+"]), max_size=5), st.text(alphabet="abc1\n", max_size=12)
)
def test_a_set_finds_what_each_pattern_alone_would_find(patterns: list[str], text: str) -> None:
    expected = next((at for at, pattern in enumerate(patterns) if PatternSet([pattern]).first(text) == 0), None)
    assert PatternSet(patterns).first(text) == expected
