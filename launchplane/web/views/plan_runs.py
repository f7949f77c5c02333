"""How far a planning is, and what came of it: polled where there is a script, looked at again where there is none."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from hygiene.models import ObservationRun
from launchplane.access.rights import may, visible
from launchplane.changes import plan_runs
from launchplane.changes.kinds import kind_named
from launchplane.changes.models import PlanRun
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.web.access import person
from launchplane.web.offers import NO_RIGHT_TO_REQUEST
from launchplane.web.views.deciding import principal
from launchplane.web.views.frame import fragment


@login_required
@never_cache  # back from the change it made, it must not poll and lead there again
def plan_run(request: HttpRequest, pk: int) -> HttpResponse:
    """A fragment for the page that polls it, which is led to the change when that is there; else a page by itself."""
    run = run_or_404(request, pk)
    if run.is_open:
        plan_runs.settle_run(run)
    if not request.headers.get("HX-Request"):
        return render(request, "plan_run/page.html", _context(request, run))
    if run.change_id is not None:
        return HttpResponseClientRedirect(reverse("change", args=[run.change_id]))
    if not run.is_open:
        return HttpResponseClientRefresh()
    return fragment("plan_run/progress.html", _context(request, run))


@login_required
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the same planned once more, now asked for by this person."""
    run = run_or_404(request, pk)
    try:
        new = plan_runs.again(run, by=principal(request))
    except Problem as problem:
        if problem.code == "not_permitted":
            raise PermissionDenied(NO_RIGHT_TO_REQUEST) from problem
        messages.error(request, f"Not planned: {problem.sentence}")
        return redirect("plan_run", pk=run.pk)
    return redirect("plan_run", pk=new.pk)


def run_or_404(request: HttpRequest, pk: int) -> PlanRun:
    """The run, if it is of a host that this person may see."""
    hosts = visible(person(request), "hosts.view_host", Host.objects.all()).order_by().values("pk")
    run = PlanRun.objects.filter(pk=pk, host__in=hosts).select_related("host").first()
    if run is None:
        raise Http404(f"no plan run {pk}")
    return run


def _context(request: HttpRequest, run: PlanRun) -> dict[str, object]:
    kind = kind_named(run.kind)
    looks = ObservationRun.objects.filter(host=run.host_id, status=ObservationRun.Status.RUNNING)
    return {
        "run": run,
        "observation": looks.first() if run.status == PlanRun.Status.RUNNING else None,
        "may_plan": kind is not None and may(request.user, kind.request_right, run.host),
    }
