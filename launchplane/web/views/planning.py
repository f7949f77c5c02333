"""Planning a clean-up: a routine kind from the host's page, or the retirement of what is ticked in the inventory.

The work is done by a worker, since it observes the host (H26); here it is queued, and one is led to how far it is.
"""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from launchplane.access.rights import may
from launchplane.changes.kinds import ChangeKind, all_kinds
from launchplane.changes.plan_runs import queue_plan
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.web.access import host_or_404
from launchplane.web.offers import NO_RIGHT_TO_REQUEST
from launchplane.web.views.deciding import principal
from launchplane.web.views.frame import host_page

RETIRE = "hygiene.retire"
WHAT_IT_DOES = {
    "hygiene.build-cache": "Lets each builder’s cache shrink to its budget. What is not there any more is built again.",
    "hygiene.dangling": "Removes images that have no tag any more and carry the label of managed builds, one by one.",
    "hygiene.aged": "Removes stopped containers, dangling images and build cache older than their budgets keep.",
}


def routine_kinds() -> list[ChangeKind]:
    """The kinds that a schedule may run; people can ask for each of them once, too."""
    return [kind for kind in all_kinds().values() if kind.authority == "standing"]


@login_required
@never_cache  # back from a plan, the form has a new key
def plan(request: HttpRequest, name: str) -> HttpResponse:
    """What can be planned here; a POST with a kind has it planned."""
    host = host_or_404(request, name)
    kinds = routine_kinds()
    if request.method == "POST":
        asked = request.POST.get("kind", "")
        if asked not in [kind.name for kind in kinds]:
            messages.error(request, "Choose what to plan.")
            return redirect("plan", name=host.name)
        return have_planned(request, host, asked, back=reverse("plan", args=[host.name]))
    return host_page(
        request,
        "host/plan.html",
        host,
        tab="host_changes",
        kinds=[(kind, WHAT_IT_DOES.get(kind.name, ""), may(request.user, kind.request_right, host)) for kind in kinds],
        key=uuid4(),
    )


@login_required
@require_POST
def retire(request: HttpRequest, name: str) -> HttpResponse:
    """Have the retirement of exactly the ticked items planned."""
    host = host_or_404(request, name)
    items = list(dict.fromkeys(request.POST.getlist("item")))
    back = f"{reverse('inventory', args=[host.name])}?{request.GET.urlencode()}"
    if not items:
        messages.error(request, "Nothing is ticked. Tick the items that are to go, then plan again.")
        return _go(request, back)
    return have_planned(request, host, RETIRE, back=back, items=items)


def have_planned(request: HttpRequest, host: Host, kind: str, *, back: str, **asked: Any) -> HttpResponse:
    """Queue the plan and lead to how far it is; what is refused is said at `back`. Raises PermissionDenied."""
    key = request.POST.get("idempotency_key")
    try:
        run = queue_plan(kind, host, by=principal(request), idempotency_key=key, **asked)
    except Problem as problem:
        if problem.code == "not_permitted":
            raise PermissionDenied(NO_RIGHT_TO_REQUEST) from problem
        messages.error(request, f"Not planned: {problem.sentence}")
        return _go(request, back)
    return _go(request, reverse("plan_run", args=[run.pk]))


def _go(request: HttpRequest, url: str) -> HttpResponse:
    """Lead the whole window there, also when a part of the page asked."""
    return HttpResponseClientRedirect(url) if request.headers.get("HX-Request") else redirect(url)
