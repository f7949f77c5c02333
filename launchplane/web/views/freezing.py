"""Freeze and unfreeze: one click stops every change at its next step, on one host or on all. Lifting needs a reason."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from launchplane.access.rights import visible
from launchplane.changes import freeze as freezing
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.web.access import host_or_404, person
from launchplane.web.freezes import freezes_seen_by
from launchplane.web.views.deciding import principal

BAD_INPUT = 400
# nobody should have to find words first
NO_REASON = "No reason was given."


@login_required
def freeze(request: HttpRequest) -> HttpResponse:
    """What is frozen, and by whom; a POST freezes or lifts."""
    if request.method == "POST":
        return _turn(request)
    return _page(request)


def _turn(request: HttpRequest) -> HttpResponse:
    name, turn = request.POST.get("host", ""), request.POST.get("turn", "")
    host = host_or_404(request, name) if name else None
    if turn not in ("on", "off"):
        raise Http404("freeze or lift")
    deed, reason = (freezing.freeze, NO_REASON) if turn == "on" else (freezing.lift, "")
    try:
        deed(host, by=principal(request), reason=request.POST.get("reason", "").strip() or reason)
    except Problem as problem:
        if problem.code == "not_permitted":
            raise PermissionDenied(
                f"{problem.sentence} It needs the right “Can freeze host and lift a freeze”."
            ) from problem
        return _page(request, problem=problem, status=BAD_INPUT)
    what = host.name if host else "Everything"
    how = "is frozen: nothing begins, and what runs stops after the item in hand" if turn == "on" else "may go on"
    messages.success(request, f"{what} {how}.")
    return redirect("host_changes", name=host.name) if host else redirect("freeze")


def _page(request: HttpRequest, *, problem: Problem | None = None, status: int = 200) -> HttpResponse:
    user = person(request)
    hosts = visible(user, freezing.RIGHT, visible(user, "hosts.view_host", Host.objects.all()))
    names, in_force = [host.name for host in hosts], freezes_seen_by(user)
    frozen = {row.host.name for row in in_force if row.host is not None}
    context = {
        "in_force": in_force,
        "hosts": names,
        "not_frozen": [name for name in names if name not in frozen],
        "may_freeze_all": user.has_perm(freezing.RIGHT),
        "problem": problem,
        "typed": request.POST.get("reason", ""),
        "chosen": request.POST.get("host", request.GET.get("host", "")),
    }
    return render(request, "changes/freeze.html", context, status=status)
