"""When a person's password was last checked: an approval needs it within the last 15 minutes, by a clock of its own."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django import forms
from django.contrib.auth import HASH_SESSION_KEY, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from launchplane.access import passwords
from launchplane.changes import eyes
from launchplane.problems import Problem, Refused
from launchplane.web import places
from launchplane.web.access import person

KEY = "password_at"
WHICH = "password_was"


class PasswordForm(forms.Form):
    """One password, never shown again."""

    password = forms.CharField(
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


def given_at(request: HttpRequest) -> datetime | None:
    """When this session's person last gave the password that they have now; None if that was not in this session."""
    seconds = request.session.get(KEY)
    if request.session.get(WHICH) != request.session.get(HASH_SESSION_KEY):
        return None
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None


def ask_if_old(request: HttpRequest, *, doing: str, back: str, keep: Iterable[str]) -> HttpResponse | None:
    """None if the password is recent, or was given with this very request; else the page that asks for it.

    That page sends the fields named in `keep` once more, so that nothing that was typed is lost.
    """
    form = PasswordForm(request.POST if "password" in request.POST else None)
    if form.is_bound and form.is_valid():
        try:
            _check(request, form.cleaned_data["password"])
            note(request)
        except Problem as problem:
            wrong = problem.code == "not_authenticated"
            sentence = "That is not your password." if wrong else problem.sentence
            form.add_error("password", f"{sentence} Nothing was decided.")
    if _is_recent(request):
        return None
    kept = [(name, request.POST.get(name, "")) for name in keep]
    return render(request, "changes/password.html", {"form": form, "doing": doing, "back": back, "kept": kept})


def note(request: HttpRequest) -> None:
    """The password was right just now. It counts until another one is set, by whichever page."""
    request.session[KEY] = timezone.now().timestamp()
    request.session[WHICH] = request.session.get(HASH_SESSION_KEY)


def _is_recent(request: HttpRequest) -> bool:
    try:
        eyes.require_recent_password(given_at(request), now=timezone.now())
    except Refused:
        return False
    return True


def _check(request: HttpRequest, password: str) -> None:
    own = person(request)
    place = places.of_session(request)
    user = passwords.check(own.get_username(), password, wanted="give the password again", at=place)
    if user.password != own.password:  # its hash was made stronger just now: no reason to end this session
        update_session_auth_hash(request, user)
