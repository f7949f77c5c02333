"""Times as engines write them, also under a Python that reads neither `Z` nor nanoseconds itself."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onhost.engine.moments import moment


@pytest.mark.parametrize(
    ("written", "microseconds"),
    [
        ("2026-11-20T12:00:00Z", 0),
        ("2026-11-20T12:00:00.5Z", 500_000),
        ("2026-11-20T12:00:00.123456789Z", 123_456),
        ("2026-11-20T14:00:00.000001+02:00", 1),
    ],
)
def test_a_time_is_cut_to_microseconds(written: str, microseconds: int) -> None:
    assert moment(written) == datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(microseconds=microseconds)


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_the_control_plane_writes_is_read_as_it_was(told: datetime) -> None:
    assert moment(told.isoformat()) == told


@pytest.mark.parametrize("written", ["", "2026-11-20", "2026-11-20T12:00:00", "0", "2026-13-01T00:00:00Z", None, 7])
def test_anything_else_is_no_time(written: object) -> None:
    assert moment(written) is None
