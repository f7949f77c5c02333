"""Charts as geometry: numbers in, coordinates out. Templates draw them as SVG, style sheets colour them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from hygiene.contracts import Class
from launchplane.hosts.contracts import DiskReading

WIDTH = 1000.0


class Reading(Protocol):
    """One point of a host's history; bytes that were not measured are None."""

    @property
    def at(self) -> datetime: ...
    @property
    def total_bytes(self) -> int | None: ...
    @property
    def used_bytes(self) -> int | None: ...
    @property
    def reclaimable_bytes(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the disk bar."""

    css: str
    label: str
    size_bytes: int
    x: float
    width: float


SEGMENTS = (
    (Class.PROTECTED, "protected"),
    (Class.IN_USE, "in use"),
    (Class.KEPT, "kept by a budget"),
    (Class.CANDIDATE, "could go"),
    (Class.UNKNOWN, "unknown, treated as protected"),
)


def disk_bar(by_class: Mapping[Class, int], disk: DiskReading | None, *, unattributed: int | None) -> list[Segment]:
    """The disk by class, what is beside Docker's own, what nothing explains, and free space; nothing if unknown.

    Where the parts claim more than the disk holds they are scaled to each other.
    """
    if disk is None or not disk.total_bytes:
        return []
    parts = [(cls.value, label, by_class.get(cls, 0)) for cls, label in SEGMENTS]
    beside = disk.used_bytes - sum(size for _, _, size in parts)
    if unattributed is None:
        parts.append(("other", "not measured apart", beside))
    else:
        parts.append(("beside", "runner folders and container logs", beside - unattributed))
        parts.append(("other", "not explained by Docker", unattributed))
    parts.append(("rest", "kept back by the file system", disk.total_bytes - disk.used_bytes - disk.free_bytes))
    parts.append(("free", "free", disk.free_bytes))
    scale = WIDTH / max(disk.total_bytes, sum(max(size, 0) for _, _, size in parts))
    segments: list[Segment] = []
    x = 0.0
    for css, label, size in parts:
        if size > 0:
            segments.append(Segment(css, label, size, round(x, 2), round(size * scale, 2)))
            x += size * scale
    return segments


@dataclass(frozen=True, slots=True)
class Chart:
    """Disk use over time as SVG paths in a box of 1000 by `height`; 0 % is at the bottom, 100 % on top."""

    line: str
    area: str
    could: str
    limit_y: float
    first: datetime
    last: datetime
    lowest_percent: int
    highest_percent: int


def disk_chart(readings: Sequence[Reading], *, limit_percent: int, height: float = 120.0) -> Chart | None:
    """The share of the disk in use over time, and the part of it that could go; None with fewer than two readings.

    A reading without a measurement breaks the line: nothing is drawn where nothing is known.
    """
    shares = [(each.at, _share(each.used_bytes, each.total_bytes)) for each in readings]
    known = [share for _, share in shares if share is not None]
    if len(known) < 2:
        return None
    could = [(each.at, _share(each.reclaimable_bytes, each.total_bytes)) for each in readings]
    runs = _runs(shares, height)
    return Chart(
        line=" ".join(_path(run) for run in runs),
        area=" ".join(_closed(run, height) for run in runs if len(run) > 1),
        could=" ".join(_path(run) for run in _runs(could, height)),
        limit_y=round(height * (1 - limit_percent / 100), 2),
        first=readings[0].at,
        last=readings[-1].at,
        lowest_percent=round(min(known) * 100),
        highest_percent=round(max(known) * 100),
    )


def _share(part: int | None, whole: int | None) -> float | None:
    if part is None or not whole:
        return None
    return min(max(part / whole, 0.0), 1.0)


Point = tuple[float, float]


def _runs(shares: Sequence[tuple[datetime, float | None]], height: float) -> list[list[Point]]:
    """Coordinates, cut into a new run wherever a share is missing."""
    start, end = shares[0][0], shares[-1][0]
    span = (end - start).total_seconds() or 1.0
    runs: list[list[Point]] = [[]]
    for at, share in shares:
        if share is None:
            runs.append([])
            continue
        x = (at - start).total_seconds() / span * WIDTH
        runs[-1].append((round(x, 1), round(height * (1 - share), 1)))
    return [run for run in runs if run]


def _path(run: Sequence[Point]) -> str:
    return "M" + " L".join(f"{x:g} {y:g}" for x, y in run)


def _closed(run: Sequence[Point], height: float) -> str:
    return f"{_path(run)} L{run[-1][0]:g} {height:g} L{run[0][0]:g} {height:g} Z"


R = TypeVar("R", bound=Reading)


def spread(readings: Sequence[R], *, most: int) -> list[R]:
    """At most `most` readings, evenly spread, the first and the last among them."""
    if len(readings) <= most:
        return list(readings)
    step = (len(readings) - 1) / (most - 1)
    return [readings[round(index * step)] for index in range(most)]
