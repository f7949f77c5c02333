"""Observe now, and how far it is."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from hygiene.models import ObservationRun
from hygiene.services import request_observation
from launchplane.access.rights import may, visible
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.web.access import host_or_404, person
from launchplane.web.standing import ACTIVE
from launchplane.web.views.frame import fragment


@login_required
@require_POST
def observe(request: HttpRequest, name: str) -> HttpResponse:
    """Queue an observation and go back to the host, which shows how far it is."""
    host = host_or_404(request, name)
    if not may(request.user, "hosts.observe_host", host):
        raise PermissionDenied("Observing a host now needs the right “Can observe host now”, which Operators have.")
    try:
        request_observation(host, by=person(request))
    except Problem as problem:
        messages.error(request, problem.sentence)
    return redirect("host", name=host.name)


@login_required
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a run is: a fragment for the page that polls it, a page by itself for everyone else."""
    hosts = visible(person(request), "hosts.view_host", Host.objects.all())
    found = ObservationRun.objects.filter(pk=pk, host__in=hosts).select_related("host").first()
    if found is None:
        raise Http404(f"no run {pk}")
    active = found.status in ACTIVE
    if not request.headers.get("HX-Request"):
        return render(request, "run.html", {"run": found, "active": active})
    if not active:
        return HttpResponseClientRefresh()
    return fragment("run_progress.html", {"run": found, "active": active})
