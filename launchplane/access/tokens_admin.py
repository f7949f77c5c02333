"""API tokens in the settings: made and shown once, changed, revoked. None is deleted, so each stays to be seen."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import ForeignKey, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from launchplane.access import tokens
from launchplane.access.models import ApiToken, User
from launchplane.access.models.api_token import LONGEST_LIFE
from launchplane.access.people import Principal
from launchplane.access.reach_form import ReachAdmin, ReachForm, person_of, reach_values

OWN, OTHERS, VIEW = "access.add_apitoken", "access.manage_apitokens", "access.view_apitoken"
USUAL_DAYS = 90


class ApiTokenForm(ReachForm):
    """A new token lasts so many days; one that is there is as it is, or revoked."""

    days = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_LIFE.days,
        initial=USUAL_DAYS,
        label="Days until it ends",
        help_text=f"At most {LONGEST_LIFE.days}. A new token is made in time, and the old one revoked.",
    )
    revoke = forms.BooleanField(
        required=False, label="Revoke it", help_text="From now on it lets nobody in. This cannot be undone."
    )

    class Meta:
        model = ApiToken
        fields = ("name", "owner", "actions", "all_hosts", "hosts", "days", "revoke")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        there = self.instance.pk is not None
        self.fields.pop("days" if there else "revoke", None)
        if there and "owner" in self.fields:
            owner = self.fields["owner"]
            owner.disabled = True
            owner.queryset = User.objects.filter(pk=self.instance.owner_id)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        typed = super().clean()
        if days := typed.get("days"):
            self.instance.expires_at = self.instance.made_at + timedelta(days=days)
        return typed


@admin.register(ApiToken)
class ApiTokenAdmin(ReachAdmin):
    """One's own tokens for whoever may make such; all of them for whoever may view or manage those of others."""

    form = ApiTokenForm
    list_display = ["name", "owner", "may", "where", "state", "last_use", "made_by_name"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username"]
    readonly_fields = ["state", "made_by_name", "made_at", "last_use"]

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        """What is known of one that is there, beside what may be changed."""
        editable = ["name", "owner", "actions", "all_hosts", "hosts"]
        if obj is None:
            return [*editable, "days"]
        if not self.has_change_permission(request, obj):
            return ["name", "owner", "may", "where", *self.readonly_fields]
        return [*editable, "revoke", *self.readonly_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> Any:
        return [*self.readonly_fields, "may", "where"]

    @admin.display(description="state")
    def state(self, row: ApiToken) -> str:
        if row.revoked_at is not None:
            return f"revoked {row.revoked_at:%Y-%m-%d %H:%M} UTC"
        ended = row.expires_at <= timezone.now()
        return f"{'over since' if ended else 'good until'} {row.expires_at:%Y-%m-%d %H:%M} UTC"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found = super().get_queryset(request).prefetch_related("hosts")
        return found if _sees_all(request) else found.filter(owner=person_of(request))

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **options: Any) -> Any:
        """Whoever is no superuser gets no token of one, as a token can do what its owner can."""
        if db_field.name == "owner":
            me = person_of(request)
            others = Q(is_active=True) if me.is_superuser else Q(is_active=True, is_superuser=False)
            mine = Q(pk=me.pk)
            options["queryset"] = User.objects.filter(mine | others if me.has_perm(OTHERS) else mine)
            options["initial"] = me.pk
            options["empty_label"] = None
        return super().formfield_for_foreignkey(db_field, request, **options)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """Without the ways to other pages beside the owner."""
        form = super().get_form(request, obj, change, **options)
        if (owner := form.base_fields.get("owner")) is not None:
            owner.widget.can_add_related = owner.widget.can_change_related = owner.widget.can_view_related = False
        return form

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        own = request.user.has_perm(OWN) and (obj is None or obj.owner_id == request.user.pk)
        return own or _sees_all(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OWN) or request.user.has_perm(OTHERS)

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Not one that is revoked: it says what it was."""
        if obj is None:
            return self.has_add_permission(request)
        return obj.revoked_at is None and _may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            form.shown_once = tokens.issue(obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The record, when the hosts are stored, too: it says what the token may do now."""
        super().save_related(request, form, formsets, change)
        row = form.instance
        if not change:
            tokens.record_edit(row, "made")
            request.shown_once = tokens.Shown(row, form.shown_once)  # type: ignore[attr-defined]
            return
        edits = reach_values(row, form)
        revoked = edits.pop("revoke", None)
        if edits:
            tokens.record_edit(row, "changed", edits)
        if revoked:
            tokens.revoke(row, by=Principal.person(person_of(request), source="web"))

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:
        """The token, now and never again: not as a message, which would be stored, nor at an address of its own."""
        shown = request.shown_once  # type: ignore[attr-defined]
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": f"API token {obj.name}"}
        context |= {"token": shown.text, "row": obj, "public_url": settings.PUBLIC_URL}
        return render(request, "admin/access/apitoken/made.html", context)  # the admin has none of its pages kept


def _sees_all(request: HttpRequest) -> bool:
    return request.user.has_perm(OTHERS) or request.user.has_perm(VIEW)


def _may_edit(request: HttpRequest, obj: ApiToken) -> bool:
    """Whoever is no superuser lets no token of one do more."""
    me = person_of(request)
    if obj.owner_id == me.pk:
        return me.has_perm(OWN) or me.has_perm(OTHERS)
    return me.has_perm(OTHERS) and (me.is_superuser or not obj.owner.is_superuser)
