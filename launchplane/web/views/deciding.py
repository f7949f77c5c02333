"""Asking for a change, deciding about it, taking it back: each a POST with the digest of what was looked at."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from launchplane.access.people import Principal
from launchplane.changes import apply_now, approvals, recover, requests
from launchplane.changes.models import Change
from launchplane.problems import Problem, Refused
from launchplane.web import recent_password
from launchplane.web.access import person
from launchplane.web.offers import offers
from launchplane.web.views.changes import change_or_404, change_page

FORBIDDEN, BAD_INPUT, CONFLICT = 403, 400, 409
STATUS_OF = {
    "not_permitted": FORBIDDEN,
    "self_approval": FORBIDDEN,
    "account_changed": FORBIDDEN,
    "reason_missing": BAD_INPUT,
    "wrong_phrase": BAD_INPUT,
    "password_needed": BAD_INPUT,
}
KEPT = ("digest", "reason", "phrase")

Deed = Callable[[Change, Principal, str], object]


def principal(request: HttpRequest) -> Principal:
    """Whoever is logged in, as the one who asks or decides."""
    return Principal.person(person(request), source="web")


def status_of(problem: Problem) -> int:
    """What a refusal is in HTTP: it is the person, the input, or how things stand."""
    return STATUS_OF.get(problem.code, CONFLICT)


@login_required
@require_POST
def request_change(request: HttpRequest, pk: UUID) -> HttpResponse:
    at_once = request.POST.get("apply_at_once") == "on"

    def deed(change: Change, by: Principal, reason: str) -> object:
        return requests.request_change(change, by=by, reason=reason, apply_at_once=at_once)

    return _do(request, pk, deed, done="Asked for. Somebody else has to approve it now.")


@login_required
@require_POST
def approve(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks for the password on a page of its own if that was not given lately, and then goes on with what was typed."""
    change = change_or_404(request, pk)
    if offers(change, change.change_kind(), person(request), nothing_to_do=None).approve:
        doing = f"Approve: {change.planned().title}, on {change.host.name}"
        asked = recent_password.ask_if_old(request, doing=doing, back=reverse("change", args=[pk]), keep=KEPT)
        if asked is not None:
            return asked

    def deed(change: Change, by: Principal, reason: str) -> object:
        return approvals.approve(
            change,
            by=by,
            digest=request.POST.get("digest", ""),
            reason=reason,
            password_at=recent_password.given_at(request),
            phrase=request.POST.get("phrase", ""),
        )

    return _do(request, pk, deed, done="Approved.")


@login_required
@require_POST
def reject(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _do(request, pk, _as_is(approvals.reject), done="Rejected. Nothing was changed on the host.")


@login_required
@require_POST
def revoke(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _do(request, pk, _as_is(approvals.revoke), done="The approval is taken back. Nothing was changed.")


@login_required
@require_POST
def apply(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Have a worker apply it now; needs no reason, since the approval has one."""
    digest = request.POST.get("digest", "")

    def deed(change: Change, by: Principal, _reason: str) -> object:
        return apply_now.order(change, by=by, digest=digest)

    return _do(request, pk, deed, done="Handed to a worker. This page says how far it is.")


@login_required
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _do(request, pk, _as_is(requests.cancel), done="Cancelled. Nothing was changed on the host.")


@login_required
@require_POST
def resolve(request: HttpRequest, pk: UUID) -> HttpResponse:
    return _do(request, pk, _as_is(recover.resolve), done="Resolved: the change has ended as failed.")


def _as_is(service: Callable[..., object]) -> Deed:
    return lambda change, by, reason: service(change, by=by, reason=reason)


def _do(request: HttpRequest, pk: UUID, deed: Deed, *, done: str) -> HttpResponse:
    """Do it, and show the change as it is then; or show why not, with what was typed."""
    change = change_or_404(request, pk)
    try:
        if request.POST.get("digest") != change.digest:
            raise Refused("wrong_digest", "What you looked at is not this plan. Read it again, then decide.")
        deed(change, principal(request), request.POST.get("reason", ""))
    except Problem as problem:
        return change_page(request, change_or_404(request, pk), status=status_of(problem), problem=problem)
    messages.success(request, done)
    return redirect("change", pk=pk)
