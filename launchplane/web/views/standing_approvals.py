"""Standing approvals: which routine may run where, within which bounds; asking for one, granting and ending it."""

from collections.abc import Callable
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from launchplane.access.models import User
from launchplane.access.rights import may, visible
from launchplane.changes import eyes, standing, standing_use
from launchplane.changes.kinds import ChangeKind, kind_named
from launchplane.changes.models import StandingApproval
from launchplane.hosts.fields import LARGEST, SizeField
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused
from launchplane.web import recent_password
from launchplane.web.access import host_or_404, person
from launchplane.web.change_page import history
from launchplane.web.offers import NO_RIGHT_TO_APPROVE, NO_RIGHT_TO_REQUEST, OWN_WISH
from launchplane.web.views.deciding import principal, status_of
from launchplane.web.views.frame import host_page
from launchplane.web.views.planning import routine_kinds

KEPT = ("digest", "reason")
MOST_ITEMS = 2**31 - 1


class AskForm(forms.Form):
    """Caps and the end of a standing approval, and why it is wanted."""

    items_per_run = forms.IntegerField(min_value=1, max_value=MOST_ITEMS, initial=100, label="Items in a run, at most")
    items_per_day = forms.IntegerField(min_value=1, max_value=MOST_ITEMS, initial=500, label="Items in 24 hours")
    bytes_per_run = SizeField(initial=50 * 10**9, label="Freed in a run, at most", help_text="Such as 50 GB.")
    bytes_per_day = SizeField(initial=200 * 10**9, label="Freed in 24 hours", help_text="Such as 200 GB.")
    days = forms.IntegerField(min_value=1, max_value=standing.LONGEST.days, initial=90, label="Ends after days")
    reason = forms.CharField(max_length=4000, widget=forms.Textarea(attrs={"rows": 3}), label="Why is it wanted?")

    def clean(self) -> dict[str, object]:
        values = super().clean() or {}
        for what in ("items", "bytes"):
            run, day = values.get(f"{what}_per_run"), values.get(f"{what}_per_day")
            if run is not None and day is not None and run > day:
                self.add_error(f"{what}_per_day", "A day can’t have less than one run.")
        return values

    def caps(self) -> standing.Caps:
        said = self.cleaned_data
        names = ("items_per_run", "items_per_day", "bytes_per_run", "bytes_per_day")
        return standing.Caps(**{name: min(said[name], LARGEST) for name in names})


def approval_or_404(request: HttpRequest, pk: int) -> StandingApproval:
    """The standing approval, if it is of a host that this person may see."""
    row = StandingApproval.objects.filter(pk=pk, host__in=_hosts(person(request))).select_related("host").first()
    if row is None:
        raise Http404(f"no standing approval {pk}")
    return row


@login_required
def approvals(request: HttpRequest) -> HttpResponse:
    """Of every host that one may see: what waits and is in force first."""
    rows = StandingApproval.objects.filter(host__in=_hosts(person(request))).select_related("host")
    now = timezone.now()
    live = [row for row in rows.filter(ended_at=None) if row.expires_at > now]
    past = rows.exclude(pk__in=[row.pk for row in live])[:50]
    return render(request, "changes/standing_list.html", {"live": live, "past": past})


@login_required
def ask(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for one, for the kind that the address names, within the bounds that are in force now."""
    host = host_or_404(request, name)
    kind = kind_named(request.GET.get("kind", ""))
    if kind is None or kind.authority != "standing":
        return host_page(request, "host/standing_kinds.html", host, tab="host_changes", kinds=routine_kinds())
    if not may(request.user, kind.request_right, host):
        raise PermissionDenied(NO_RIGHT_TO_REQUEST)
    form = AskForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            row = _request(request, kind, host, form)
        except Problem as problem:
            form.add_error(None, problem.sentence)
        else:
            messages.success(request, "Asked for. Somebody else has to grant it now.")
            return redirect("standing_approval", pk=row.pk)
    bounds = standing.bounds_in_force(kind, host)
    return host_page(
        request,
        "host/standing_ask.html",
        host,
        tab="host_changes",
        status=400 if form.errors else 200,
        kind=kind,
        bounds=bounds,
        form=form,
    )


def _request(request: HttpRequest, kind: ChangeKind, host: Host, form: AskForm) -> StandingApproval:
    return standing.request_standing(
        kind.name,
        host,
        by=principal(request),
        reason=form.cleaned_data["reason"],
        caps=form.caps(),
        expires_at=timezone.now() + timedelta(days=form.cleaned_data["days"]),
    )


@login_required
def approval(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, approval_or_404(request, pk))


def _page(
    request: HttpRequest, row: StandingApproval, *, status: int = 200, problem: Problem | None = None
) -> HttpResponse:
    live = row.ended_at is None and row.expires_at > timezone.now()
    items, size = standing_use.used_lately(row)
    decides, why_not = _may_decide(row, person(request))
    context = {
        "row": row,
        "bounds": standing.granted_bounds(row),
        "looser": standing.loosened(row) if live and row.granted_at is None else (),
        "used_items": items,
        "used_bytes": size,
        "may_grant": live and row.granted_at is None and decides,
        "may_resume": live and row.suspended_at is not None and decides,
        "may_end": live and _may_end(row, person(request)),
        "why_not": why_not if live and (row.granted_at is None or row.suspended_at is not None) else "",
        "history": history(f"standing-{row.pk}"),
        "problem": problem,
        "typed": request.POST.get("reason", ""),
    }
    return render(request, "changes/standing.html", context, status=status)


@login_required
@require_POST
def grant(request: HttpRequest, pk: int) -> HttpResponse:
    return _with_password(request, pk, standing.grant, doing="Grant", done="Granted: its schedule may run now.")


@login_required
@require_POST
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    return _with_password(request, pk, _resume, doing="Resume", done="Resumed: its schedule may run again.")


@login_required
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke it, or reject what was asked for."""
    row = approval_or_404(request, pk)
    return _do(request, row, lambda: standing.revoke(row, by=principal(request), reason=_reason(request)), "Ended.")


def _resume(row: StandingApproval, *, digest: str, **said: object) -> StandingApproval:
    if digest != row.bounds_digest:
        raise Refused("wrong_digest", "What you looked at are not these bounds. Open it again and read it.")
    return standing.resume(row, **said)  # type: ignore[arg-type]


def _with_password(
    request: HttpRequest, pk: int, service: Callable[..., StandingApproval], *, doing: str, done: str
) -> HttpResponse:
    row = approval_or_404(request, pk)
    kind = kind_named(row.kind)
    if _may_decide(row, person(request))[0]:
        words = f"{doing}: {kind.title if kind else row.kind}, on {row.host.name}"
        back = reverse("standing_approval", args=[pk])
        asked = recent_password.ask_if_old(request, doing=words, back=back, keep=KEPT)
        if asked is not None:
            return asked
    digest, password_at = request.POST.get("digest", ""), recent_password.given_at(request)

    def deed() -> object:
        said = {"digest": digest, "reason": _reason(request), "password_at": password_at}
        return service(row, by=principal(request), **said)

    return _do(request, row, deed, done)


def _do(request: HttpRequest, row: StandingApproval, deed: Callable[[], object], done: str) -> HttpResponse:
    try:
        deed()
    except Problem as problem:
        return _page(request, approval_or_404(request, row.pk), status=status_of(problem), problem=problem)
    messages.success(request, done)
    return redirect("standing_approval", pk=row.pk)


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "")


def _hosts(user: User) -> QuerySet[Host]:
    return visible(user, "hosts.view_host", Host.objects.all()).order_by()


def _may_decide(row: StandingApproval, user: User) -> tuple[bool, str]:
    """Whether this person may grant or resume it, and why not."""
    kind, wishers = kind_named(row.kind), {row.requested_by_id}
    if kind is None or not may(user, kind.approve_right, row.host):
        return False, OWN_WISH if user.pk in wishers else NO_RIGHT_TO_APPROVE
    try:
        eyes.require_other_eyes(user, wishers)
        eyes.require_untouched_account(user, wishers, now=timezone.now())
    except Refused as problem:
        return False, problem.sentence
    return True, ""


def _may_end(row: StandingApproval, user: User) -> bool:
    kind = kind_named(row.kind)
    return kind is not None and any(may(user, right, row.host) for right in (kind.request_right, kind.approve_right))
