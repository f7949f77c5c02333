"""Lanes and where they may be, in the admin: what is wanted. Making it so is a change, with its approval."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

from lanes.models import Lane, LaneGrant
from lanes.names import missing_labels, required_labels
from launchplane.changes.models import Change
from launchplane.hosts.admin import HostPartAdmin
from launchplane.hosts.fields import LinesField
from launchplane.hosts.models import Host
from launchplane.hosts.scoped_admin import ModelForm

# GitHub and the host know the runner by these
OF_A_REGISTERED_LANE = ("scope", "registration_root", "service_user")


class LaneForm(ModelForm):
    labels = LinesField(
        help_text="One a line: what it is good for. Those that every lane of its host has are added: self-hosted, "
        "launchplane, launchplane-managed, and the host's name."
    )

    class Meta:
        model = Lane
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        """What the host does not have is refused here already, and not only in the plan."""
        typed: dict[str, Any] = super().clean() or {}
        host = typed.get("host") or getattr(self.instance, "host", None)
        if isinstance(host, Host):
            self._require_of_host("registration_root", host.runner_roots, f"one of the runner roots of {host}")
            self._require_of_host("service_user", host.service_users, f"one of the service users of {host}")
            labels = typed.get("labels") or []
            typed["labels"] = [*missing_labels(required_labels(host.name), labels), *labels]
        if self.instance.pk is None and typed.get("managed") is False:
            self.add_error("managed", "A lane that Launchplane does not manage needs no record.")
        return typed

    def _require_of_host(self, field: str, allowed: list[str], what: str) -> None:
        value = self.cleaned_data.get(field)
        if value is not None and value not in allowed:
            there = ", ".join(allowed) or "none so far; they are in the host's settings"
            self.add_error(field, ValidationError(f"{value[:80]!r} is not {what}: {there}."))


@admin.register(Lane)
class LaneAdmin(HostPartAdmin):
    form = LaneForm
    list_display = ["name", "host", "scope", "service_user", "managed", "agent_id"]
    search_fields = ["name", "scope", "service_user"]
    fieldsets = [
        (None, {"fields": ["host", "name", "scope", "managed"]}),
        ("On its host", {"fields": ["registration_root", "service_user"]}),
        ("Its runner", {"fields": ["labels", "runner_version_policy", "agent_id"]}),
    ]

    def view_on_site(self, obj: Lane) -> str:
        """Straight to the page, as for a host."""
        return obj.get_absolute_url()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Its name never changes: folder, unit and registration are called by it."""
        if not isinstance(obj, Lane):
            return ["agent_id"]
        registered = OF_A_REGISTERED_LANE if obj.agent_id is not None else ()
        return ["host", "name", "agent_id", *registered]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Not while a change is applied to it: what it registers belongs to the record that it was planned from."""
        return not _is_being_changed(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Not while it is registered: its runner would be nobody's. A change removes it first."""
        registered = isinstance(obj, Lane) and obj.agent_id is not None
        return not (registered or _is_being_changed(obj)) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """The runner's id is as it is on record by now, not as it was when the form was opened."""
        if change and isinstance(obj, Lane):
            obj.agent_id = Lane.objects.select_for_update().values_list("agent_id", flat=True).get(pk=obj.pk)
        super().save_model(request, obj, form, change)


def _is_being_changed(obj: Model | None) -> bool:
    return isinstance(obj, Lane) and Change.objects.holding(obj.host).filter(subject=obj.name).exists()


@admin.register(LaneGrant)
class LaneGrantAdmin(HostPartAdmin):
    list_display = ["scope", "host", "max_lanes", "reason"]
    search_fields = ["scope", "reason"]
