"""Where the disk is heading, and when that cannot be said."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from hygiene.models import Snapshot
from hygiene.trend import Forecast, Point, forecast, series, series_of
from tests.factories import a_host, an_inventory, observed, readings

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
GB = 10**9


def points(*used: int | None, apart: timedelta = DAY, total: int | None = 100 * GB) -> list[Point]:
    return [Point(START + number * apart, total, size, 0) for number, size in enumerate(used)]


NOT_YET = Forecast(None, None, "needs at least a day of observations")


@pytest.mark.parametrize(
    "found",
    [
        [],
        points(1, 2),
        points(1, 2, 3, apart=timedelta(hours=11)),
        points(None, None, None, None),
        points(1, None, 2, None),
        points(1, 2, 3, total=None),
    ],
    ids=["none", "two", "less than a day", "nothing measured", "too little measured", "no size"],
)
def test_less_than_a_day_of_readings_foretells_nothing(found: list[Point]) -> None:
    assert forecast(found) == NOT_YET


def test_a_disk_that_fills_steadily_is_full_when_its_free_bytes_are_used_up() -> None:
    assert forecast(points(10 * GB, 20 * GB, 30 * GB, 40 * GB)) == Forecast(6, 10 * GB, "")


@pytest.mark.parametrize("used", [(5 * GB, 5 * GB, 5 * GB), (50 * GB, 40 * GB, 30 * GB)], ids=["flat", "emptying"])
def test_a_disk_that_does_not_fill_has_no_day_on_which_it_is_full(used: tuple[int, ...]) -> None:
    found = forecast(points(*used))
    assert found.days is None
    assert found.bytes_per_day is not None
    assert found.bytes_per_day <= 0
    assert found.reason == "the disk is not filling up"


def test_a_disk_that_is_full_has_no_day_left() -> None:
    assert forecast(points(80 * GB, 90 * GB, 100 * GB)).days == 0


def test_readings_that_are_missing_in_between_are_left_out() -> None:
    assert forecast(points(10 * GB, None, 30 * GB, 40 * GB)).days == 6


@given(st.lists(st.none() | st.integers(0, 2**53), max_size=8), st.integers(1, 10**6))
def test_any_readings_give_days_or_a_reason(used: list[int | None], seconds: int) -> None:
    found = forecast(points(*used, apart=timedelta(seconds=seconds), total=2**53))
    assert (found.days is None) is bool(found.reason)
    assert found.days is None or found.days >= 0


@pytest.mark.django_db
def test_a_series_has_the_readings_of_its_days_oldest_first() -> None:
    host, now = a_host(), timezone.now()
    for days, free in ((40, 1), (3, 20 * GB), (1, 30 * GB)):
        observed(host, an_inventory(), at=now - days * DAY, reading=readings(total=100 * GB, free=free))
    assert [point.used_bytes for point in series(host)] == [80 * GB, 70 * GB]
    assert [point.total_bytes for point in series(host, days=2)] == [100 * GB]


@pytest.mark.django_db
@pytest.mark.req("H7")
def test_a_reading_that_was_not_made_is_none_and_never_zero() -> None:
    host = a_host()
    observed(host, an_inventory(), reading=readings(total=None))
    (point,) = series(host)
    assert (point.total_bytes, point.used_bytes) == (None, None)


@pytest.mark.django_db
def test_the_series_of_many_hosts_are_one_query(django_assert_num_queries: object) -> None:
    hosts = [a_host("one"), a_host("two"), a_host("never-seen")]
    for host in hosts[:2]:
        observed(host, an_inventory())
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = series_of(hosts)
    assert {key: len(series) for key, series in found.items()} == {hosts[0].pk: 1, hosts[1].pk: 1}
    assert Snapshot.objects.count() == 2
