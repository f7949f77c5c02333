"""Where the disk is heading: the readings of a host over time, and when it would be full."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from hygiene.models import Snapshot
from launchplane.hosts.models import Host

SHORTEST = timedelta(hours=24)
DAY_SECONDS = 86_400


class Point(NamedTuple):
    """One reading, as `df` counts: the total is what is used and what is free; a part that was not measured is None.

    The file system's own reserve is in neither, so the disk is full when nothing is free, not when its size is reached.
    """

    at: datetime
    total_bytes: int | None
    used_bytes: int | None
    reclaimable_bytes: int | None


class Forecast(NamedTuple):
    """Days until full at today's pace, or None with the reason why that cannot be said."""

    days: int | None
    bytes_per_day: int | None
    reason: str


def series(host: Host, *, days: int = 30) -> list[Point]:
    """The readings of the last `days` days, oldest first. One query."""
    return series_of([host], days=days).get(host.pk, [])


def series_of(hosts: Sequence[Host], *, days: int = 30) -> dict[int, list[Point]]:
    """The readings of several hosts by their primary key, each oldest first. One query."""
    since = timezone.now() - timedelta(days=days)
    rows = Snapshot.objects.filter(host__in=hosts, observed_at__gte=since).order_by("observed_at", "pk")
    found: dict[int, list[Point]] = {}
    for host, at, used, free, reclaimable in rows.values_list(
        "host", "observed_at", "disk_used_bytes", "disk_free_bytes", "reclaimable_bytes"
    ):
        total = None if used is None or free is None else used + free
        found.setdefault(host, []).append(Point(at, total, used, reclaimable))
    return found


def forecast(points: Sequence[Point]) -> Forecast:
    """A straight line (least squares) through the used bytes of `points`, extended to the size of the disk."""
    known = [point for point in points if point.used_bytes is not None and point.total_bytes is not None]
    if len(known) < 3 or known[-1].at - known[0].at < SHORTEST:
        return Forecast(None, None, "needs at least a day of observations")
    seconds = [(point.at - known[0].at).total_seconds() for point in known]
    used = [point.used_bytes or 0 for point in known]
    mean_second, mean_used = sum(seconds) / len(seconds), sum(used) / len(used)
    spread = sum((second - mean_second) ** 2 for second in seconds)
    slope = sum((s - mean_second) * (u - mean_used) for s, u in zip(seconds, used, strict=True)) / spread
    per_day = round(slope * DAY_SECONDS)
    if per_day <= 0:
        return Forecast(None, per_day, "the disk is not filling up")
    free = (known[-1].total_bytes or 0) - used[-1]
    return Forecast(max(free, 0) // per_day, per_day, "")
