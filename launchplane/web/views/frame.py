"""What all pages of one host have in common: its name, how it stands, its tabs, and a run that is under way."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from hygiene.models import ObservationRun
from lanes.models import Lane
from launchplane.access.rights import may
from launchplane.hosts.models import Host
from launchplane.web.standing import ACTIVE, ENDED_BADLY, standings

TABS = (
    ("host", "Report"),
    ("inventory", "Inventory"),
    ("budgets", "Budgets and protections"),
    ("snapshots", "Snapshots"),
    ("host_changes", "Changes"),
    ("host_lanes", "Lanes"),
)
AUDIT_TAB = ("host_audit", "Audit")
AUDIT_RIGHT = "audits.view_auditrecord"


def host_page(
    request: HttpRequest, template: str, host: Host, *, tab: str, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page of `host` with the frame that all of them have."""
    last_run = ObservationRun.objects.filter(host=host).first()
    frame = {
        "host": host,
        "tab": tab,
        "tabs": (*TABS, AUDIT_TAB) if request.user.has_perm(AUDIT_RIGHT) else TABS,
        "lane_count": Lane.objects.filter(host=host).count(),
        "standing": standings([host])[host.pk],
        "run": last_run if last_run and last_run.status in ACTIVE else None,
        "failed_run": last_run if last_run and last_run.status in ENDED_BADLY else None,
        "may_observe": may(request.user, "hosts.observe_host", host),
        "may_request": may(request.user, "hosts.request_change", host),
        "may_change": may(request.user, "hosts.change_host", host),
    }
    return render(request, template, frame | context, status=status)


def fragment(template: str, context: dict[str, Any]) -> HttpResponse:
    """A part of a page that is polled: without what every page says around it, and so without its queries."""
    return HttpResponse(render_to_string(template, context))
