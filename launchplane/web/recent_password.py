"""When a person's password was last checked: an approval needs it within the last 15 minutes, by a clock of its own."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from audits import record
from launchplane.access.people import Principal
from launchplane.changes import eyes
from launchplane.problems import Refused
from launchplane.web.access import person

KEY = "password_at"


class LoginView(auth.LoginView):
    """Django's own, which also notes that the password was right just now."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        _note(self.request)
        return response


class PasswordForm(forms.Form):
    """One password, never shown again."""

    password = forms.CharField(
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


def given_at(request: HttpRequest) -> datetime | None:
    """When this session's person last gave their password; None if that was not in this session."""
    seconds = request.session.get(KEY)
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None


def ask_if_old(request: HttpRequest, *, doing: str, back: str, keep: Iterable[str]) -> HttpResponse | None:
    """None if the password is recent, or was given with this very request; else the page that asks for it.

    That page sends the fields named in `keep` once more, so that nothing that was typed is lost.
    """
    form = PasswordForm(request.POST if "password" in request.POST else None)
    if form.is_bound and form.is_valid():
        if _is_right(request, form.cleaned_data["password"]):
            _note(request)
        else:
            form.add_error("password", "That is not your password. Nothing was decided.")
    if _is_recent(request):
        return None
    kept = [(name, request.POST.get(name, "")) for name in keep]
    return render(request, "changes/password.html", {"form": form, "doing": doing, "back": back, "kept": kept})


def _note(request: HttpRequest) -> None:
    request.session[KEY] = timezone.now().timestamp()


def _is_recent(request: HttpRequest) -> bool:
    try:
        eyes.require_recent_password(given_at(request), now=timezone.now())
    except Refused:
        return False
    return True


def _is_right(request: HttpRequest, password: str) -> bool:
    user = person(request)
    if authenticate(request, username=user.get_username(), password=password) == user:
        return True
    record.append(
        kind="access.denied",
        key=user.get_username(),
        status="failed",
        payload={"wanted": "give the password again", "why": "wrong password"},
        actor=Principal.person(user, source="web").actor(),
        source="web",
    )
    return False
