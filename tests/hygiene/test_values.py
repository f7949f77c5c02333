"""Single values out of answers that may be forged, old or broken."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.redact import LIVE
from hygiene.parse.values import LARGEST, Malformed, amount, key, labels, moment, text, texts
from launchplane.canonical import canonical
from tests.hygiene.raw import anything

BUILT = datetime(2026, 11, 20, 18, 52, 8, 784471, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-20T18:52:08.784471429Z", BUILT),
        ("2026-11-20T18:52:08.784471Z", BUILT),
        ("2026-11-20T20:52:08.784471429+02:00", BUILT),
        ("2026-11-20T18:52:08.7Z", BUILT.replace(microsecond=700_000)),
        ("2026-11-20T18:52:08Z", BUILT.replace(microsecond=0)),
        (1795200728, datetime(2026, 11, 20, 18, 52, 8, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_from_text_and_from_epoch_seconds(value: object, expected: datetime) -> None:
    assert moment(value) == expected


@pytest.mark.req("H7")
@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00Z",
        -62135596800,
        "",
        "yesterday",
        "2026-11-20T18:52:08",
        "2026-13-40T99:99:99Z",
        "9999-12-31T23:59:59-23:59",
        "1970-01-01T00:00:00+05:00",
        2**60,
        -1,
        True,
        1.5,
        None,
        [1795200728],
    ],
)
def test_the_engines_zero_time_and_what_is_no_time_are_none(value: object) -> None:
    assert moment(value) is None


@given(anything | st.text(alphabet="0123456789-:.TZ+", max_size=40) | st.integers())
def test_a_time_is_none_or_aware_and_never_before_1970(value: object) -> None:
    found = moment(value)
    assert found is None or (found.tzinfo is not None and found >= datetime(1970, 1, 1, tzinfo=UTC))


@pytest.mark.req("H7")
@pytest.mark.parametrize("value", [-1, True, False, 1.0, "1", None, 2**60, LARGEST + 1, [], {}])
def test_an_amount_that_is_not_measured_is_none_and_never_zero(value: object) -> None:
    assert amount(value) is None


@pytest.mark.parametrize("value", [0, 1, LARGEST])
def test_a_measured_amount_is_kept_zero_included(value: int) -> None:
    assert amount(value) == value


@given(anything | st.text(alphabet=st.characters(), max_size=50))
def test_every_text_can_be_stored_and_hashed(value: object) -> None:
    made = text(value)
    assert "\0" not in made
    assert canonical({"text": made})


@pytest.mark.req("H44")
def test_labels_are_kept_whole_and_all_of_them() -> None:
    many = {str(number): "x" for number in range(4_999)} | {"launchplane.protect": "y" * 65_536}
    assert labels(many) == many


@pytest.mark.req("H44")
@pytest.mark.parametrize(
    "value",
    [{str(number): "" for number in range(5_001)}, {"a": "x" * 65_537}, {"x" * 65_537: ""}, {"a": 5}, ["a"], "a"],
    ids=["too many", "too long", "too long a name", "no text", "a list", "a text"],
)
def test_labels_that_are_none_or_beyond_all_bounds_are_refused_and_never_cut(value: object) -> None:
    with pytest.raises(Malformed):
        labels(value)


def test_what_is_kept_of_a_hosts_labels_holds_no_secret() -> None:
    written = {
        "ci.managed": "true",
        "deploy.password": "correct horse",
        "build.remote": "https://ci:ghp_0123456789012345678901234567890123456789@example.org/r.git",
        "note": "the live one is AABBCCDDEEFFGGHHIIJJKKLLMMNN2",
    }
    with LIVE.holding("AABBCCDDEEFFGGHHIIJJKKLLMMNN2"):
        kept = labels(written)
    assert kept["ci.managed"] == "true"
    assert list(kept) == list(written)
    assert not any(secret in str(kept) for secret in ("correct horse", "ghp_0123", "AABBCC"))


def test_a_label_without_a_value_is_one() -> None:
    assert labels({"a": None}) == {"a": ""}
    assert labels(None) == {}


def test_a_name_keeps_its_newlines_but_no_nul_and_no_lone_surrogate() -> None:
    assert key("a\nb\x1b\0\ud800") == "a\nb\x1b\N{REPLACEMENT CHARACTER}?"


@pytest.mark.parametrize("value", ["", None, 5, ["a"], "x" * 256])
def test_a_name_that_no_engine_makes_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        key(value)


def test_a_list_of_texts_is_sorted_and_null_is_an_empty_one() -> None:
    assert texts(["b", "a", 5, None]) == ("a", "b")
    assert texts(None) == ()
