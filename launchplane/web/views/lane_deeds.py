"""What one may have done to a lane: looked at, planned. A worker does it; here it is queued."""

from dataclasses import dataclass
from typing import get_args
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from lanes.kinds import kind_by_last_look
from lanes.plan.scene import Operation
from lanes.stored import last_look
from launchplane.access.rights import may
from launchplane.web import lane_looks
from launchplane.web.access import lane_or_404, person
from launchplane.web.views.frame import fragment
from launchplane.web.views.planning import have_planned

NO_RIGHT_TO_OBSERVE = "Looking at a lane now needs the right “Can observe host now”, which Operators have."


@dataclass(frozen=True, slots=True)
class Offered:
    """A plan that can be asked for, with what its button says."""

    operation: Operation
    button: str


OFFERED = (
    Offered("plan", "Plan this lane"),
    Offered("restart", "Plan a restart"),
    Offered("remove", "Plan its removal"),
)


def new_key() -> str:
    """One for each showing of the page: a form that is sent twice asks for one plan."""
    return f"web-{uuid4()}"


@login_required
@require_POST
def lane_observe(request: HttpRequest, name: str) -> HttpResponse:
    """Have a worker look at the lane, and go back to its page, which says how far that is."""
    lane = lane_or_404(request, name)
    if not may(request.user, "hosts.observe_host", lane.host):
        raise PermissionDenied(NO_RIGHT_TO_OBSERVE)
    lane_looks.ask(request.session, lane, asked_by=person(request).get_username(), seen_at=last_look(lane).at)
    return redirect("lane", name=lane.name)


@login_required
def lane_look(request: HttpRequest, name: str) -> HttpResponse:
    """How far the look is that was asked for: a fragment for the page that polls it."""
    lane = lane_or_404(request, name)
    look = lane_looks.awaited(request.session, lane, seen_at=last_look(lane).at)
    if not request.headers.get("HX-Request"):
        return redirect("lane", name=lane.name)
    if look is None or look.overdue:
        return HttpResponseClientRefresh()
    return fragment("lanes/look.html", {"lane": lane, "look": look})


@login_required
@require_POST
def lane_plan(request: HttpRequest, name: str) -> HttpResponse:
    """Have a worker plan it: what its record calls for, a restart, or its removal."""
    lane = lane_or_404(request, name)
    back, operation = reverse("lane", args=[lane.name]), _operation(request)
    if operation is None:
        messages.error(request, "Choose what to plan.")
        return redirect(back)
    return have_planned(request, lane.host, kind_by_last_look(lane, operation), back=back, lane=lane.name)


def _operation(request: HttpRequest) -> Operation | None:
    asked = request.POST.get("operation", "")
    return next((known for known in get_args(Operation) if known == asked), None)
