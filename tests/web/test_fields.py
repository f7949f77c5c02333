"""What an operator types: understood, or kept with a sentence."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from launchplane.hosts.fields import LinesField, SizeField, parse_length, parse_size, show_length, show_size
from launchplane.words import CENTURY_SECONDS

AMOUNTS = st.integers(0, 2**63 - 1)


@given(AMOUNTS)
def test_a_size_that_is_shown_reads_back_as_the_same_bytes(value: int) -> None:
    assert parse_size(show_size(value)) == value


@given(st.integers(0, CENTURY_SECONDS))
def test_a_length_that_is_shown_reads_back_as_the_same_seconds(value: int) -> None:
    assert parse_length(show_length(value)) == value


@pytest.mark.parametrize(
    ("text", "size"),
    [("20 GB", 20 * 10**9), ("1.5TiB", 3 * 2**39), ("1000", 1000), ("0", 0), ("7gb", 7 * 10**9), (" 3 kB ", 3000)],
)
def test_sizes_are_understood_with_their_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["much", "20 parsecs", "-1 GB", "1e9", "1,5 GB", "GB", "9" * 40, "9000000000 TB", "²"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=r"is not a size|more than can be stored"):
        parse_size(text)


@pytest.mark.parametrize(("text", "length"), [("30 days", 2592000), ("1 day", 86400), ("12h", 43200), ("90", 90)])
def test_lengths_are_understood_with_their_unit(text: str, length: int) -> None:
    assert parse_length(text) == length


@pytest.mark.parametrize("text", ["99999999999 days", "36501 days", "876001 h"])
def test_a_length_of_more_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="more than 100 years"):
        parse_length(text)


def test_a_size_that_was_not_understood_stays_as_it_was_typed() -> None:
    assert SizeField().prepare_value("20 parsecs") == "20 parsecs"


def test_an_empty_size_is_none_and_not_zero() -> None:
    assert SizeField(required=False).clean("") is None


def test_lines_are_a_list_without_the_blank_ones() -> None:
    field = LinesField()
    assert field.clean(" /srv/runners \n\n/opt/r\r\n") == ["/srv/runners", "/opt/r"]
    assert field.clean("") == []
    assert field.prepare_value(["a", "b"]) == "a\nb"
    assert not field.has_changed(["a"], "a\n")
