"""Changes: the list of all hosts that one may see, each host's own, and the page of one change with its progress."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRefresh

from launchplane.access.rights import may, visible
from launchplane.changes import eyes, freeze
from launchplane.changes.kinds import all_kinds
from launchplane.changes.models import Change, PlanRun, Step
from launchplane.changes.models.change import OPEN, Status
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.web.access import host_or_404, person
from launchplane.web.change_page import LIVE, progress_of, stamp, view_of, waits
from launchplane.web.views.frame import fragment, host_page
from launchplane.web.waiting import HEAVY

PER_PAGE = 50
SHOWN_PLAN_RUNS = 10
# a subquery, so that counting the changes need not count their steps
ITEMS = Coalesce(
    Subquery(
        Step.objects.filter(change=OuterRef("pk")).order_by().values("change").annotate(n=Count("pk")).values("n")
    ),
    0,
)


def change_or_404(request: HttpRequest, pk: UUID) -> Change:
    """The change, if it is of a host that this person may see."""
    hosts = visible(person(request), "hosts.view_host", Host.objects.all()).order_by().values("pk")
    change = Change.objects.filter(pk=pk, host__in=hosts).select_related("host", "standing").first()
    if change is None:
        raise Http404(f"no change {pk}")
    return change


@login_required
def changes(request: HttpRequest) -> HttpResponse:
    """Of every host that one may see."""
    hosts = visible(person(request), "hosts.view_host", Host.objects.all())
    found = Change.objects.filter(host__in=hosts.order_by().values("pk"))
    return render(request, "changes/list.html", _listed(request, found))


@login_required
def host_changes(request: HttpRequest, name: str) -> HttpResponse:
    """Of one host, with what may be begun there."""
    host = host_or_404(request, name)
    return host_page(
        request,
        "host/changes.html",
        host,
        tab="host_changes",
        frozen=freeze.frozen(host),
        may_freeze=may(request.user, freeze.RIGHT, host),
        plan_runs=_plan_runs(host),
        **_listed(request, Change.objects.filter(host=host)),
    )


@login_required
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    return change_page(request, change_or_404(request, pk))


def change_page(
    request: HttpRequest, change: Change, *, status: int = 200, problem: Problem | None = None
) -> HttpResponse:
    """The page of a change. After a refusal it says why, and what was typed is still there."""
    waiting = waits(change)
    context = {
        "view": view_of(change, person(request)),
        "change": change,
        "stamp": stamp(change, waits=waiting),
        "waits": waiting,
        "problem": problem,
        "typed": {name: request.POST.get(name, "") for name in ("reason", "phrase")},
        "solo": eyes.is_solo(),
    }
    return render(request, "changes/change.html", context, status=status)


@login_required
def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is: a fragment for the page that polls it, which is loaded anew as soon as the status is another."""
    change = change_or_404(request, pk)
    waiting = waits(change)
    now_is = stamp(change, waits=waiting)
    if now_is != request.GET.get("was") or change.status not in LIVE:
        return HttpResponseClientRefresh()
    progress = progress_of(list(change.steps.all()))
    context = {"change": change, "progress": progress, "stamp": now_is, "waits": waiting}
    return fragment("changes/progress.html", context)


def _plan_runs(host: Host) -> list[PlanRun]:
    """Those under way, and the last one if nothing came of it."""
    last = list(PlanRun.objects.filter(host=host)[:SHOWN_PLAN_RUNS])
    return [run for at, run in enumerate(last) if run.is_open or (at == 0 and run.change_id is None)]


def _listed(request: HttpRequest, found: QuerySet[Change]) -> dict[str, Any]:
    """One page of the list, as it was filtered. A value that is not known filters nothing."""
    status, kind = request.GET.get("status", ""), request.GET.get("kind", "")
    if status == "open":
        found = found.filter(status__in=OPEN)
    elif status in Status.values:
        found = found.filter(status=status)
    if kind in all_kinds():
        found = found.filter(kind=kind)
    shown = found.select_related("host").defer(*HEAVY).annotate(items=ITEMS)
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "page": page,
        "wanted_status": status,
        "wanted_kind": kind,
        "statuses": Status.choices,
        "kinds": list(all_kinds().values()),
        "narrows": bool(status or kind),
    }
