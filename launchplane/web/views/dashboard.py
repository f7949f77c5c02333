"""The first page: every host that one may see, how it stands, and what went wrong lately."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from hygiene.models import ObservationRun
from hygiene.trend import Forecast, Point, forecast, series_of
from launchplane.access.rights import visible
from launchplane.hosts.models import Contact, Host
from launchplane.web.access import person
from launchplane.web.charts import Chart, disk_chart, spread
from launchplane.web.standing import ENDED_BADLY, Standing, standings
from launchplane.web.waiting import waiting_for

LATELY = timedelta(days=7)
MOST_TROUBLES = 10
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
    """Something that went wrong: when, where, what, in a sentence."""

    at: datetime
    host: Host
    word: str
    sentence: str


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """A constant number of queries, however many hosts there are."""
    hosts = list(visible(person(request), "hosts.view_host", Host.objects.all()))
    lines, troubles = _lines(hosts), _troubles(hosts)
    context = {"lines": lines, "troubles": troubles, "days": LATELY.days, "waiting": waiting_for(person(request))}
    return render(request, "dashboard.html", context)


def _lines(hosts: list[Host]) -> list[HostLine]:
    stands = standings(hosts)
    points = series_of(hosts, days=30)
    return [_line(host, stands[host.pk], points.get(host.pk, [])) for host in hosts]


def _line(host: Host, stands: Standing, points: list[Point]) -> HostLine:
    spark = disk_chart(spread(points, most=SPARK_POINTS), limit_percent=host.pressure_percent, height=24.0)
    return HostLine(host, stands, spark, forecast(points))


def _troubles(hosts: list[Host]) -> list[Trouble]:
    """Failed and lost observations and lost contacts of the last week, newest first."""
    since = timezone.now() - LATELY
    by_key = {host.pk: host for host in hosts}
    runs = ObservationRun.objects.filter(host__in=hosts, status__in=ENDED_BADLY, asked_at__gte=since)
    contacts = Contact.objects.filter(host__in=hosts, reachable=False, at__gte=since)
    found = [
        Trouble(run.ended_at or run.asked_at, by_key[run.host_id], f"observation {run.status}", run.sentence)
        for run in runs[:MOST_TROUBLES]
    ]
    found += [
        Trouble(contact.at, by_key[contact.host_id], "out of reach", contact.reason)
        for contact in contacts[:MOST_TROUBLES]
    ]
    return sorted(found, key=lambda trouble: trouble.at, reverse=True)[:MOST_TROUBLES]
