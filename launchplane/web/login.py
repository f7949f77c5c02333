"""Logging in, and choosing another password: where a person's password is typed, but for `recent_password`."""

from typing import Any

from django import forms
from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy

from launchplane.access import passwords
from launchplane.problems import Problem
from launchplane.web import places, recent_password

TOO_MANY_REQUESTS = 429


class LoginForm(AuthenticationForm):
    """Django's own, with the password looked at by `passwords.check`."""

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name is None or not password or self.request is None:
            return self.cleaned_data
        try:
            place = places.of_login(self.request, name)
            self.user_cache = passwords.check(name, password, wanted="log in", at=place)
        except passwords.TooMany as problem:
            self.wait_seconds = problem.wait_seconds
            raise forms.ValidationError(problem.sentence, code=problem.code) from problem
        except Problem as problem:
            if problem.code == "not_authenticated":
                raise self.get_invalid_login_error() from problem
            raise forms.ValidationError(problem.sentence, code=problem.code) from problem
        return self.cleaned_data


class LoginView(auth.LoginView):
    """Notes that the password was right just now, and that this browser is one of this account's."""

    authentication_form = LoginForm

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        recent_password.note(self.request)
        places.remember(self.request, response, form.get_user().get_username())
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if wait_seconds := getattr(form, "wait_seconds", None):
            response.status_code = TOO_MANY_REQUESTS
            response["Retry-After"] = str(wait_seconds)
        return response


class OwnPasswordForm(PasswordChangeForm):
    """The old password is looked at by `passwords.check`: whoever finds an open browser cannot try it out here."""

    def __init__(self, request: HttpRequest, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._request = request

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        try:
            place = places.of_session(self._request)
            passwords.check(self.user.get_username(), old, wanted="choose another password", at=place)
        except Problem as problem:
            wrong = problem.code == "not_authenticated"
            sentence = self.error_messages["password_incorrect"] if wrong else problem.sentence
            raise forms.ValidationError(sentence, code=problem.code) from problem
        return old


class PasswordChangeView(auth.PasswordChangeView):
    """Ends all other sessions of this account, and what the old password allowed in this one."""

    form_class = OwnPasswordForm
    success_url = reverse_lazy("dashboard")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}
