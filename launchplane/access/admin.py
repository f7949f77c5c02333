"""People and groups in the admin, and what was changed of accounts. Nothing in bulk: each edit is one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from launchplane.access import tokens_admin, workflows_admin
from launchplane.access.models import ApiToken, CredentialChange, User

if TYPE_CHECKING:
    UserAdminOf = DjangoUserAdmin[User]
    ReadOnlyOf = admin.ModelAdmin[CredentialChange]
else:
    UserAdminOf = DjangoUserAdmin
    ReadOnlyOf = admin.ModelAdmin

__all__ = ["CredentialChangeAdmin", "GroupAdmin", "UserAdmin", "tokens_admin", "workflows_admin"]

# what makes somebody able to do anything: only a superuser gives it
POWERS = ("is_superuser", "user_permissions")
APPS = ("access", "audits", "auth", "changes", "hosts", "hygiene", "schedule")


@admin.register(User)
class UserAdmin(UserAdminOf):
    """Whoever may edit people, but is no superuser, makes nobody a superuser and touches none."""

    actions = None
    filter_horizontal = ()
    list_display = ["username", "email", "is_staff", "is_superuser", "is_active", "last_login"]
    readonly_fields = ["last_login", "date_joined"]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "groups":
            return db_field.formfield(widget=CheckboxSelectMultiple, help_text="Whoever is in a group has its rights.")
        return super().formfield_for_manytomany(db_field, request, **_only_ours(options))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        if request.user.is_superuser:
            return super().get_readonly_fields(request, obj)
        own = ("groups", "is_staff", "is_active") if obj is not None and obj.pk == request.user.pk else ()
        return [*super().get_readonly_fields(request, obj), *POWERS, *own]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _not_above(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _not_above(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What was noted of an account, and its tokens, go with it, and stay in the audit."""
        objects, count, missing_rights, protected = super().get_deleted_objects(objs, request)
        goes_too = {CredentialChange._meta.verbose_name, ApiToken._meta.verbose_name}
        return objects, count, set(missing_rights) - goes_too, protected

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """One's own password is changed where the old one is asked for: an open browser is not enough."""
        if str(request.user.pk) == id:
            return redirect("password_change")
        return super().user_change_password(request, id, form_url)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    actions = None
    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None = None, **options: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **_only_ours(options))


@admin.register(CredentialChange)
class CredentialChangeAdmin(ReadOnlyOf):
    """Who changed whose account: whoever did so cannot have that person decide about own changes for a day."""

    actions = None
    list_display = ["at", "user", "what", "who"]
    list_filter = ["what"]
    search_fields = ["user__username", "by_name"]
    list_select_related = ["user"]
    date_hierarchy = "at"

    @admin.display(description="by", ordering="by_name")
    def who(self, change: CredentialChange) -> str:
        return change.by_name or "nobody known"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: CredentialChange | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CredentialChange | None = None) -> bool:
        return False


def _only_ours(options: dict[str, Any]) -> dict[str, Any]:
    """Rights that some page or command asks for; those of Django's and the queue's own tables mean nothing here."""
    found = Permission.objects.filter(content_type__app_label__in=APPS).select_related("content_type")
    order = ("content_type__app_label", "content_type__model", "codename")
    return options | {"queryset": found.order_by(*order)}


def _not_above(request: HttpRequest, obj: User | None) -> bool:
    return obj is None or request.user.is_superuser or not obj.is_superuser
