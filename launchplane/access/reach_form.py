"""What the forms of API tokens and of trusted workflows share: what one may do, and to which hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import ManyToManyField, Model
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest

from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.access.rights import visible

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin = admin.ModelAdmin
    ModelForm = forms.ModelForm

WORDS: Final = {
    Action.HYGIENE_AUDIT_WRITE: "send evidence about hosts",
    Action.HYGIENE_AUDIT_READ: "read evidence about hosts",
    Action.LANE_AUDIT_WRITE: "send evidence about lanes",
    Action.LANE_AUDIT_READ: "read evidence about lanes",
    Action.HOST_READ: "read hosts, reports and inventories",
    Action.LANE_READ: "read lanes and their readiness",
    Action.CHANGE_READ: "read changes",
    Action.CHANGE_REQUEST: "plan a change (a dry run, which nobody has asked for yet)",
    Action.EVIDENCE_EXPORT: "export the audit",
}


class ReachForm(ModelForm):
    """Actions to tick, and hosts to tick or all of them."""

    actions = forms.MultipleChoiceField(
        choices=[(action.value, f"{words}: {action.value}") for action, words in WORDS.items()],
        widget=CheckboxSelectMultiple,
        label="May",
    )

    def clean(self) -> dict[str, Any]:
        """Hosts are named, or all are meant: nothing chosen would be of no use, and both would mean all."""
        typed: dict[str, Any] = super().clean() or {}
        hosts = typed.get("hosts")
        if "hosts" in self.fields and typed.get("all_hosts") == bool(hosts):
            self.add_error("hosts", ValidationError("Choose hosts, or tick “all hosts”, and not both."))
        return typed


class ReachAdmin(ModelAdmin):
    """Nothing in bulk; hosts are offered that the person may see."""

    actions = None
    list_per_page = 50

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **options: Any
    ) -> Any:
        if db_field.name == "hosts":
            hosts = db_field.remote_field.model._default_manager.all()
            options["queryset"] = visible(request.user, "hosts.view_host", hosts)
            options["widget"] = CheckboxSelectMultiple
            return db_field.formfield(**options, help_text="Those that it is about.")
        return super().formfield_for_manytomany(db_field, request, **options)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Hosts that the person does not see stay as they were: nobody takes away what they were not shown."""
        hosts = form.instance.hosts
        shown = form.fields["hosts"].queryset if "hosts" in form.fields else hosts.all()
        unseen = list(hosts.exclude(pk__in=shown.values("pk"))) if change else []
        super().save_related(request, form, formsets, change)
        hosts.add(*unseen)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any) -> Any:
        """One way to save: each edit is looked at by itself."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description="may")
    def may(self, row: Any) -> str:
        return ", ".join(sorted(row.actions))

    @admin.display(description="last used", ordering="last_used_at")
    def last_use(self, row: Any) -> str:
        if row.last_used_at is None:
            return "never"
        return f"{row.last_used_at:%Y-%m-%d %H:%M} UTC from {row.last_used_from or 'no address'}"

    @admin.display(description="hosts")
    def where(self, row: Any) -> str:
        return "all" if row.all_hosts else ", ".join(sorted(str(host) for host in row.hosts.all())) or "none"


def person_of(request: HttpRequest) -> User:
    """Whoever is logged in: the admin lets nobody else in."""
    if not isinstance(request.user, User):
        raise LookupError("nobody is logged in")
    return request.user


def reach_values(before: Model | None, form: Any) -> dict[str, dict[str, Any]]:
    """The fields that somebody changed, each as it was and as it is."""
    plain = {name: (form.initial.get(name), form.cleaned_data.get(name)) for name in form.changed_data}
    return {
        name: {"before": None if before is None else _plain(was), "after": _plain(is_)}
        for name, (was, is_) in plain.items()
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    return sorted(map(str, value)) if hasattr(value, "__iter__") else str(value)
