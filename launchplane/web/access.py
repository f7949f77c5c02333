"""The doors: who may open which page. A host that one may not see is exactly like one that does not exist."""

from typing import TypeGuard

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import urlencode

from lanes.models import Lane
from launchplane.access.models import User
from launchplane.access.rights import visible
from launchplane.hosts.models import Host
from launchplane.hosts.services import hosts_called


def person(request: HttpRequest) -> User:
    """Whoever is logged in; only for views behind `login_required`."""
    if not _is_person(request.user):
        raise PermissionDenied("Log in first.")
    return request.user


def _is_person(user: User | AnonymousUser) -> TypeGuard[User]:
    return user.is_authenticated


def host_or_404(request: HttpRequest, name: str) -> Host:
    """The host of that name among those that this person may see."""
    host = visible(person(request), "hosts.view_host", hosts_called(name)).first()
    if host is None:
        raise Http404(f"no host {name}")
    return host


def lane_or_404(request: HttpRequest, name: str) -> Lane:
    """The lane of that name, if it is of a host that this person may see."""
    lane = Lane.objects.seen_by(person(request)).called(name).select_related("host").first()
    if lane is None:
        raise Http404(f"no lane {name}")
    return lane


def no_shortcut(_request: HttpRequest, rest: str) -> HttpResponse:
    """Django's way from any object's number to its page tells the names of what one may not see: there is none here."""
    raise Http404(f"no shortcut {rest}")


def admin_login(request: HttpRequest) -> HttpResponse:
    """One door for passwords: the admin has none of its own."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied("Your account may not open the settings. An administrator can allow it (“staff”).")
    return redirect(f"{resolve_url('login')}?{urlencode({'next': request.GET.get('next', '/admin/')})}")
