"""Where a password is given in a browser: an address, or a browser in which the account was logged in before.

The latter is told by a signed cookie, which lets nobody in: it only keeps wrong passwords from elsewhere out of the
count (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

import ipaddress
import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import salted_hmac

from launchplane.access.passwords import Place
from launchplane.access.people import Principal
from launchplane.web.access import person

COOKIE = "launchplane_browser"
KEPT = timedelta(days=90)
ACCOUNTS = 5  # in one browser; with more the oldest is forgotten


def of_login(request: HttpRequest, username: str) -> Place:
    """Where somebody wants to log in as `username`."""
    address = _address(request)
    if nonce := _known(request).get(_account(username)):
        return Place(f"browser:{nonce}", f"{address}, a browser that was used before", source="web", known=True)
    return Place(f"address:{_network(address)}", address, source="web")


def of_session(request: HttpRequest) -> Place:
    """Where somebody who is logged in gives the password once more."""
    by = Principal.person(person(request), source="web")
    words = f"{_address(request)}, logged in"
    return Place(f"session:{request.session.session_key}", words, source="web", known=True, by=by)


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """From now on this browser is one in which `username` was logged in."""
    kept = [(account, nonce) for account, nonce in _known(request).items() if account != _account(username)]
    accounts = dict([*kept[-(ACCOUNTS - 1) :], (_account(username), secrets.token_urlsafe(16))])
    response.set_cookie(
        COOKIE,
        signing.dumps(accounts, salt=COOKIE),
        max_age=KEPT,
        path=reverse("login"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def _known(request: HttpRequest) -> dict[str, str]:
    """The accounts of a cookie that this server signed lately; none if it is anything else."""
    try:
        accounts = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=KEPT)
    except signing.BadSignature:
        return {}
    return accounts if isinstance(accounts, dict) else {}


def _account(username: str) -> str:
    return salted_hmac(COOKIE, username.casefold()).hexdigest()[:16]


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR") or "no address")


def _network(address: str) -> str:
    """Whoever has one address of IPv6 has 2^64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
