"""Lanes: all that one may see, each by itself, and what product repositories read. Looking at them changes nothing."""

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from audits.models import AuditRecord
from lanes.models import Lane, LaneGrant
from lanes.stored import AT_MOST_OLD
from launchplane.access.rights import may
from launchplane.changes.kinds import all_kinds
from launchplane.changes.models import Change, PlanRun
from launchplane.web import lane_looks
from launchplane.web.access import host_or_404, lane_or_404, person
from launchplane.web.audit_page import readable_by
from launchplane.web.lane_page import LaneView, lane_view, lane_views
from launchplane.web.views.frame import AUDIT_RIGHT, host_page
from launchplane.web.views.lane_deeds import OFFERED, new_key
from launchplane.web.waiting import HEAVY

PER_PAGE = 50
SHOWN = 10


@login_required
def lanes(request: HttpRequest) -> HttpResponse:
    """Of every host that one may see."""
    found = Lane.objects.seen_by(person(request)).select_related("host")
    context = _listed(request, found) | {"may_add": request.user.has_perm("lanes.add_lane") and request.user.is_staff}
    return render(request, "lanes/list.html", context)


@login_required
def host_lanes(request: HttpRequest, name: str) -> HttpResponse:
    """Of one host, with whom it may have lanes for."""
    host = host_or_404(request, name)
    return host_page(
        request,
        "host/lanes.html",
        host,
        tab="host_lanes",
        grants=list(LaneGrant.objects.filter(host=host)),
        may_add=request.user.is_staff and request.user.has_perm("lanes.add_lane"),
        may_grant=request.user.is_staff and request.user.has_perm("lanes.add_lanegrant"),
        **_listed(request, Lane.objects.filter(host=host).select_related("host")),
    )


@login_required
@never_cache  # back from a plan, its forms have new keys
def lane(request: HttpRequest, name: str) -> HttpResponse:
    """Whether it is at work, and if not why, and what comes next."""
    found = lane_or_404(request, name)
    view = lane_view(found, now=timezone.now())
    look = lane_looks.awaited(request.session, found, seen_at=view.seen_at)
    return render(request, "lanes/lane.html", {"view": view, "look": look, **_around(request, found)})


@login_required
def lane_readiness(request: HttpRequest, name: str) -> HttpResponse:
    """What product repositories read of it."""
    found = lane_or_404(request, name)
    context = {
        "lane": found,
        "view": lane_view(found, now=timezone.now()),
        "url": settings.PUBLIC_URL + reverse("v1:readiness", args=[found.name]),
        "at_most_old": int(AT_MOST_OLD.total_seconds()),
    }
    return render(request, "lanes/readiness.html", context)


def _listed(request: HttpRequest, found: QuerySet[Lane]) -> dict[str, Any]:
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    views: list[LaneView] = lane_views(list(page.object_list), now=timezone.now())
    return {"page": page, "views": views}


def _around(request: HttpRequest, lane: Lane) -> dict[str, Any]:
    """What has happened to it, and what this person may have done."""
    changes = Change.objects.filter(host=lane.host, subject=lane.name, kind__in=_kinds()).defer(*HEAVY)
    knows_kinds = bool(_kinds())
    return {
        "lane": lane,
        "changes": list(changes.order_by("-planned_at")[:SHOWN]),
        "plan_runs": _plan_runs(lane),
        "contacts": list(lane.contacts.all()[:SHOWN]),
        "records": _records(request, lane),
        "may_observe": may(request.user, "hosts.observe_host", lane.host),
        "may_request": knows_kinds and may(request.user, "hosts.request_change", lane.host),
        "may_change": request.user.is_staff and may(request.user, "lanes.change_lane", lane),
        "offered": OFFERED if knows_kinds else (),
        "key": new_key(),
    }


def _kinds() -> list[str]:
    return [kind.name for kind in all_kinds().values() if kind.subject_is_lane]


def _records(request: HttpRequest, lane: Lane) -> list[AuditRecord]:
    if not request.user.has_perm(AUDIT_RIGHT):
        return []
    found = readable_by(person(request)).filter(host=lane.host.name, lane=lane.name)
    return list(found.defer("payload", "responsible").order_by("-seq")[:SHOWN])


def _plan_runs(lane: Lane) -> list[PlanRun]:
    """Those of this lane that are under way, and the last one if nothing came of it."""
    runs = PlanRun.objects.filter(host=lane.host, kind__in=_kinds())[: SHOWN * 10]
    of_lane = [run for run in runs if json.loads(run.asked).get("lane") == lane.name]
    return [run for at, run in enumerate(of_lane) if run.is_open or (at == 0 and run.change_id is None)]
