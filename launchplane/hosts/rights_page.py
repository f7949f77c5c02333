"""The page in the settings on which an administrator sees who may do what on one host, and gives or takes a right."""

from django import forms
from django.contrib import messages
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict
from django.views.decorators.http import require_http_methods

from audits.errors import AuditRefused
from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.access.rights import may
from launchplane.hosts import grants, holders
from launchplane.hosts.models import Host
from launchplane.problems import Refused

Choices = list[tuple[str, list[tuple[str, str]]]]


class RightForm(forms.Form):
    """A holder and a right; what may be chosen is what there is now."""

    holder = forms.ChoiceField(label="Who")
    right = forms.ChoiceField(label="May")

    def __init__(self, data: MultiValueDict[str, str] | None, *, anybody: bool) -> None:
        super().__init__(data, label_suffix="")
        self.holders = {holders.value_of(holder): holder for holder in _holders(anybody)}
        self.fields["holder"].choices = [("", "Choose a person or a group"), *_grouped(self.holders)]  # type: ignore[attr-defined]
        self.fields["right"].choices = [  # type: ignore[attr-defined]
            ("", "Choose a right"),
            *((f"hosts.{right.codename}", holders.words_of(right)) for right in grants.rights()),
        ]

    def chosen(self) -> grants.Holder:
        """The holder of a valid form."""
        return self.holders[self.cleaned_data["holder"]]


@require_http_methods(["GET", "HEAD", "POST"])
def rights_page(request: HttpRequest, host: Host, context: dict[str, object]) -> HttpResponse:
    """Show it, or give or take one right and show it anew. `context` is what every page of the settings needs."""
    if not may(request.user, grants.MANAGE, host):
        raise PermissionDenied(
            f"Who may do what on {host.name} is for those with the right “Can give and take rights on host”."
        )
    taking = request.POST.get("do") == "take"
    form = RightForm(request.POST if request.method == "POST" else None, anybody=taking)
    problem = None
    if form.is_bound and form.is_valid():
        try:
            (_take if taking else _give)(request, host, form)
            return HttpResponseRedirect(request.path)
        except AuditRefused:
            raise
        except Refused as refused:
            problem = refused
    status = 403 if problem else 400 if form.is_bound else 200
    page = context | {"host": host, "form": form, "problem": problem, "access": holders.access_to(host)}
    return render(request, "admin/hosts/host/rights.html", page, status=status)


def _give(request: HttpRequest, host: Host, form: RightForm) -> None:
    holder, right = form.chosen(), form.cleaned_data["right"]
    done = grants.grant(right, to=holder, host=host, by=_by(request))
    who = grants.name_of(holder)
    given = f"Given to {who} on {host.name}: {_words(form)}."
    messages.success(request, given if done else f"Nothing to do: {who} had this right on {host.name} before.")
    if not grants.can_see(holder, host):
        messages.warning(request, f"Of no use yet: {who} cannot see {host.name}. Give “view host” too.")


def _take(request: HttpRequest, host: Host, form: RightForm) -> None:
    holder, right = form.chosen(), form.cleaned_data["right"]
    done = grants.withdraw(right, of=holder, host=host, by=_by(request))
    who = grants.name_of(holder)
    taken = f"Taken from {who} on {host.name}: {_words(form)}."
    messages.success(request, taken if done else f"Nothing to do: {who} did not have this right on {host.name}.")


def _words(form: RightForm) -> str:
    return dict(form.fields["right"].choices)[form.cleaned_data["right"]]  # type: ignore[attr-defined,no-any-return]


def _by(request: HttpRequest) -> Principal:
    if not isinstance(request.user, User):
        raise PermissionDenied("Log in first.")
    return Principal.person(request.user, source="web")


def _holders(anybody: bool) -> list[grants.Holder]:
    """Who can be given a right; with `anybody` also those who may not log in any more, of whom one can be taken."""
    users = User.objects.order_by("username")
    return [*(users if anybody else users.filter(is_active=True)), *Group.objects.order_by("name")]


def _grouped(found: dict[str, grants.Holder]) -> Choices:
    users = [(value, grants.name_of(holder)) for value, holder in found.items() if isinstance(holder, User)]
    groups = [(value, holder.name) for value, holder in found.items() if isinstance(holder, Group)]
    return [("People", users), ("Groups", groups)]
