"""The host page: what fills it, what would really be freed, what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse

from hygiene.contracts import Class, DockerSummary, TypeSummary
from hygiene.inventory import HostView, frees_alone, latest, select
from hygiene.repositories import repositories_of
from hygiene.trend import Point, forecast, series
from launchplane.web.access import host_or_404
from launchplane.web.charts import disk_bar, disk_chart, spread
from launchplane.web.views.frame import host_page
from launchplane.web.views.inventory import Shown

LARGEST = 5
CHART_POINTS = 300
TABLE_POINTS = 30


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """One line as `docker system df` shows it; `counts` is None if the type could not be read."""

    title: str
    counts: TypeSummary | None

    @property
    def reclaimable_percent(self) -> int | None:
        counts = self.counts
        if counts is None or counts.reclaimable_bytes is None or not counts.size_bytes:
            return None
        return counts.reclaimable_bytes * 100 // counts.size_bytes


@login_required
def host(request: HttpRequest, name: str) -> HttpResponse:
    found = host_or_404(request, name)
    view = latest(found)
    if view is None:
        return host_page(request, "host/never.html", found, tab="host")
    points = series(found, days=30)
    return host_page(
        request,
        "host/report.html",
        found,
        tab="host",
        view=view,
        report=view.report,
        bar=disk_bar(view.by_class_bytes, view.readings.disk, unattributed=view.report.unattributed_bytes),
        points=_table(points),
        chart=disk_chart(spread(points, most=CHART_POINTS), limit_percent=found.pressure_percent),
        forecast=forecast(points),
        largest=_largest(view),
        summary=_summary(view.report.docker_summary),
        repositories=repositories_of(found),
    )


def _largest(view: HostView) -> list[Shown]:
    rows = select(view.rows, cls=Class.CANDIDATE, sort="-size")[:LARGEST]
    return [Shown(row, frees_alone(view, row)) for row in rows]


def _summary(summary: DockerSummary) -> list[SummaryLine]:
    return [
        SummaryLine("Images", summary.images),
        SummaryLine("Containers", summary.containers),
        SummaryLine("Local volumes", summary.volumes),
        SummaryLine("Build cache", summary.build_cache),
    ]


def _table(points: Sequence[Point]) -> list[Point]:
    """The chart's table: evenly spread readings, the newest first."""
    return list(reversed(spread(points, most=TABLE_POINTS)))
