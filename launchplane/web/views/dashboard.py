"""The first page: every host that one may see, how it stands, what went wrong lately, and whether work may begin."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from hygiene.models import ObservationRun
from hygiene.trend import Forecast, Point, forecast, series_of
from launchplane.access.rights import visible
from launchplane.changes.models import Change, PlanRun
from launchplane.hosts.models import Contact, Host
from launchplane.web.access import person
from launchplane.web.chain_state import chain_state
from launchplane.web.charts import Chart, disk_chart, spread
from launchplane.web.lane_lines import lane_lines
from launchplane.web.standing import ENDED_BADLY, Standing, standings
from launchplane.web.waiting import HEAVY, waiting_for

LATELY = timedelta(days=7)
MOST_TROUBLES = 10
PLANNED_BADLY = (PlanRun.Status.FAILED, PlanRun.Status.LOST)
SPARK_POINTS = 60


@dataclass(frozen=True, slots=True)
class HostLine:
    """One host on the dashboard."""

    host: Host
    standing: Standing
    spark: Chart | None
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong: when, where, what, in a sentence, and the page that says more."""

    at: datetime
    host: Host
    word: str
    sentence: str
    url: str


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """A constant number of queries, however many hosts there are."""
    hosts = list(visible(person(request), "hosts.view_host", Host.objects.all()))
    lines, troubles = _lines(hosts), _troubles(hosts)
    context = {
        "lines": lines,
        "lanes": lane_lines(hosts, now=timezone.now()),
        "troubles": troubles,
        "days": LATELY.days,
        "waiting": waiting_for(person(request)),
        "chain": chain_state(),
    }
    return render(request, "dashboard.html", context)


def _lines(hosts: list[Host]) -> list[HostLine]:
    stands = standings(hosts)
    points = series_of(hosts, days=30)
    return [_line(host, stands[host.pk], points.get(host.pk, [])) for host in hosts]


def _line(host: Host, stands: Standing, points: list[Point]) -> HostLine:
    spark = disk_chart(spread(points, most=SPARK_POINTS), limit_percent=host.pressure_percent, height=24.0)
    return HostLine(host, stands, spark, forecast(points))


def _troubles(hosts: list[Host]) -> list[Trouble]:
    """What failed, was lost or out of reach in the last week, newest first."""
    since = timezone.now() - LATELY
    by_key = {host.pk: host for host in hosts}
    runs = ObservationRun.objects.filter(host__in=hosts, status__in=ENDED_BADLY, asked_at__gte=since)
    contacts = Contact.objects.filter(host__in=hosts, reachable=False, at__gte=since)
    plans = PlanRun.objects.filter(host__in=hosts, status__in=PLANNED_BADLY, asked_at__gte=since)
    changes = Change.objects.filter(host__in=hosts, status=Change.Status.FAILED, ended_at__gte=since)
    found = [
        *(_trouble(by_key[row.host_id], row.at, "out of reach", row.reason) for row in contacts[:MOST_TROUBLES]),
        *(_of_run(by_key[run.host_id], run, "observation", "run") for run in runs[:MOST_TROUBLES]),
        *(_of_run(by_key[run.host_id], run, "plan", "plan_run") for run in plans[:MOST_TROUBLES]),
        *(_of_change(by_key[row.host_id], row) for row in changes.defer(*HEAVY).order_by("-ended_at")[:MOST_TROUBLES]),
    ]
    return sorted(found, key=lambda trouble: trouble.at, reverse=True)[:MOST_TROUBLES]


def _trouble(host: Host, at: datetime, word: str, sentence: str, url: str = "") -> Trouble:
    return Trouble(at, host, word, sentence, url or host.get_absolute_url())


def _of_run(host: Host, run: ObservationRun | PlanRun, what: str, page: str) -> Trouble:
    return _trouble(
        host, run.ended_at or run.asked_at, f"{what} {run.status}", run.sentence, reverse(page, args=[run.pk])
    )


def _of_change(host: Host, change: Change) -> Trouble:
    kind = change.change_kind()
    sentence = f"{kind.title if kind else change.kind}: {change.sentence}"
    return _trouble(
        host, change.ended_at or change.planned_at, "change failed", sentence, reverse("change", args=[change.pk])
    )
