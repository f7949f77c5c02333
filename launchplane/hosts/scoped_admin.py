"""What the admin pages of everything that belongs to a host share: rights for each object, and nothing done in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest

from launchplane.access.rights import may, visible
from launchplane.hosts.edits import as_deleted, before_and_after, record_edit
from launchplane.hosts.models import Host

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
else:
    ModelAdmin = admin.ModelAdmin
    ModelForm = forms.ModelForm


class ScopedAdmin(ModelAdmin):
    """Lists only what belongs to hosts that the person may see; each object is asked about by itself."""

    actions = None
    list_per_page = 50
    host_field = "host"
    verbs: tuple[str, ...] = ("view", "add", "change", "delete")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(**{f"{self.host_field}__in": seen_hosts(request)})

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "view", obj) or self._may(request, "change", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "add" in self.verbs and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "delete", obj)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            record_edit(obj, "changed" if change else "added", before_and_after(form))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        key, values = obj.pk, as_deleted(obj)
        super().delete_model(request, obj)
        obj.pk = key
        record_edit(obj, "deleted", values)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **options: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.remote_field.model is Host:
            options["queryset"] = seen_hosts(request)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def _may(self, request: HttpRequest, verb: str, obj: Model | None) -> bool:
        if verb not in self.verbs:
            return False
        right = f"{self.opts.app_label}.{get_permission_codename(verb, self.opts)}"
        if obj is not None:
            return may(request.user, right, obj)
        return request.user.has_perm(right) or visible(request.user, right, self.model._default_manager.all()).exists()


class ReadOnlyAdmin(ScopedAdmin):
    """What Launchplane wrote itself is looked at, never edited."""

    verbs = ("view",)


def seen_hosts(request: HttpRequest) -> QuerySet[Host]:
    """The hosts that the person may see."""
    return visible(request.user, "hosts.view_host", Host.objects.all())
