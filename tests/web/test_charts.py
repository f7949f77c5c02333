"""Charts: numbers in, coordinates out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.contracts import Class
from launchplane.hosts.contracts import DiskReading
from launchplane.web.charts import WIDTH, disk_bar, disk_chart, spread

START = datetime(2026, 3, 1, tzinfo=UTC)
SIZES = st.integers(0, 10**15)


@dataclass(frozen=True)
class Reading:
    at: datetime
    total_bytes: int | None
    used_bytes: int | None
    reclaimable_bytes: int | None = None


def readings(*used: int | None, total: int = 100) -> list[Reading]:
    return [Reading(START + timedelta(days=day), total, value) for day, value in enumerate(used)]


def disk(total: int, *, used: int, free: int) -> DiskReading:
    return DiskReading(path="/", total_bytes=total, used_bytes=used, free_bytes=free, used_percent=1, device=1)


@given(st.dictionaries(st.sampled_from(list(Class)), SIZES), SIZES | st.none(), SIZES, SIZES, SIZES)
def test_the_disk_bar_never_leaves_its_box_and_its_parts_touch(
    by_class: dict[Class, int], unattributed: int | None, total: int, used: int, free: int
) -> None:
    bar = disk_bar(by_class, disk(total, used=used, free=free), unattributed=unattributed)
    assert all(segment.size_bytes > 0 for segment in bar)
    for left, right in pairwise(bar):
        assert left.x + left.width == pytest.approx(right.x, abs=0.02)
    assert not bar or bar[-1].x + bar[-1].width <= WIDTH + 0.02


def test_the_disk_bar_keeps_proportions() -> None:
    by_class = {Class.PROTECTED: 25, Class.CANDIDATE: 25}
    bar = disk_bar(by_class, disk(100, used=50, free=50), unattributed=0)
    assert [(part.css, part.x, part.width) for part in bar] == [
        ("protected", 0, 250),
        ("candidate", 250, 250),
        ("free", 500, 500),
    ]


def test_every_byte_of_the_disk_is_named() -> None:
    bar = disk_bar({Class.KEPT: 30}, disk(100, used=70, free=20), unattributed=10)
    assert [(part.label, part.size_bytes) for part in bar] == [
        ("kept by a budget", 30),
        ("runner folders and container logs", 30),
        ("not explained by Docker", 10),
        ("kept back by the file system", 10),
        ("free", 20),
    ]


@pytest.mark.req("X4")
def test_what_could_not_be_told_apart_says_so() -> None:
    bar = disk_bar({Class.KEPT: 30}, disk(100, used=70, free=30), unattributed=None)
    assert [(part.label, part.size_bytes) for part in bar][1] == ("not measured apart", 40)


def test_a_disk_of_unknown_size_has_no_picture() -> None:
    assert disk_bar({Class.PROTECTED: 25}, None, unattributed=1) == []


def test_a_line_goes_from_the_first_to_the_last_reading() -> None:
    chart = disk_chart(readings(0, 50, 100), limit_percent=80)
    assert chart is not None
    assert chart.line == "M0 120 L500 60 L1000 0"
    assert chart.area.endswith("L1000 120 L0 120 Z")
    assert (chart.limit_y, chart.lowest_percent, chart.highest_percent) == (24, 0, 100)


@pytest.mark.req("H7")
def test_nothing_is_drawn_where_nothing_was_measured() -> None:
    chart = disk_chart(readings(10, 20, None, 30, 40), limit_percent=80)
    assert chart is not None
    assert chart.line.count("M") == 2


@pytest.mark.parametrize("used", [(), (10,), (None, None, 10)])
def test_fewer_than_two_readings_make_no_chart(used: tuple[int | None, ...]) -> None:
    assert disk_chart(readings(*used), limit_percent=80) is None


def test_two_readings_at_the_same_moment_are_drawn() -> None:
    same = [Reading(START, 100, 10), Reading(START, 100, 20)]
    assert disk_chart(same, limit_percent=80) is not None


@given(st.integers(0, 500), st.integers(2, 60))
def test_spread_keeps_the_ends_and_the_order(count: int, most: int) -> None:
    everything = readings(*range(count))
    some = spread(everything, most=most)
    assert len(some) == min(count, most)
    assert some == sorted(some, key=lambda reading: reading.at)
    assert some[:1] == everything[:1]
    assert some[-1:] == everything[-1:]
