"""Protections and budgets are edited in the admin; what was observed is only looked at there."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from hygiene.models import Budget, ObservationRun, ProductRepository, Protection, Snapshot
from hygiene.repositories import kept_result, place
from launchplane.hosts.admin import HostPartAdmin
from launchplane.hosts.edits import as_deleted, before_and_after, record_edit
from launchplane.hosts.fields import LengthField, SizeField, show_length, show_size
from launchplane.hosts.scoped_admin import ModelForm, ReadOnlyAdmin, ScopedAdmin, seen_hosts
from launchplane.words import printable


@admin.register(Protection)
class ProtectionAdmin(HostPartAdmin):
    list_display = ["pattern", "kind", "host", "reason"]
    search_fields = ["pattern", "reason"]


class BudgetForm(ModelForm):
    max_bytes = SizeField(required=False, label="At most", help_text="With a unit: 20 GB. Empty: age alone decides.")
    reserve_bytes = SizeField(initial=0, label="Reserve", help_text="With a unit: 5 GB. Always kept, whatever its age.")
    min_age_seconds = LengthField(
        label="Minimum age", help_text="With a unit: 30 days. What is younger, or was used more recently, is kept."
    )

    class Meta:
        model = Budget
        fields = ["host", "scope", "max_bytes", "reserve_bytes", "min_age_seconds", "mode"]


@admin.register(Budget)
class BudgetAdmin(HostPartAdmin):
    form = BudgetForm
    list_display = ["scope", "host", "at_most", "reserve", "minimum_age", "mode"]

    @admin.display(ordering="max_bytes")
    def at_most(self, budget: Budget) -> str:
        return "age alone decides" if budget.max_bytes is None else show_size(budget.max_bytes)

    @admin.display(ordering="reserve_bytes")
    def reserve(self, budget: Budget) -> str:
        return show_size(budget.reserve_bytes)

    @admin.display(ordering="min_age_seconds")
    def minimum_age(self, budget: Budget) -> str:
        return show_length(budget.min_age_seconds)


@admin.register(ProductRepository)
class ProductRepositoryAdmin(ScopedAdmin):
    list_display = ["name", "used_hosts", "linted_at", "findings_count", "unread_count", "revision"]
    search_fields = ["name"]
    fields = ["name", "hosts", "linted_at", "linted_by", "source", "revision", "findings", "allowed", "not_looked_at"]
    readonly_fields = ["linted_at", "linted_by", "source", "revision", "findings", "allowed", "not_looked_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductRepository]:
        """Those that use a host that the person may see, and those that use none."""
        seen = models.Q(hosts__in=seen_hosts(request)) | models.Q(hosts=None)
        return ProductRepository.objects.filter(seen).distinct().prefetch_related("hosts")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, **options | {"queryset": seen_hosts(request)})

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """The record of it comes with the hosts."""
        obj.save()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Hosts that the person may not see stay as they are."""
        repository = form.instance
        before = host_names(repository)
        hidden = list(repository.hosts.exclude(pk__in=seen_hosts(request)))
        super().save_related(request, form, formsets, change)
        repository.hosts.add(*hidden)
        values = before_and_after(form) | {"hosts": {"before": before, "after": host_names(repository)}}
        if form.changed_data:
            record_edit(repository, "changed" if change else "added", values)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        key, names = obj.pk, host_names(ProductRepository.objects.get(pk=obj.pk))
        obj.delete()
        obj.pk = key
        record_edit(obj, "deleted", as_deleted(obj) | {"hosts": {"before": names, "after": None}})

    @admin.display(description="hosts")
    def used_hosts(self, repository: ProductRepository) -> str:
        return ", ".join(host.name for host in repository.hosts.all()) or "none"

    @admin.display(description="findings")
    def findings(self, repository: ProductRepository) -> str:
        result = kept_result(repository)
        if result is None:
            return "never linted"
        return _list(f"{found.code}: {place(found)}" for found in result.findings)

    @admin.display(description="allowed")
    def allowed(self, repository: ProductRepository) -> str:
        result = kept_result(repository)
        return _list(f"{place(each.finding)}: {each.reason}" for each in result.allowed) if result else ""

    @admin.display(description="not looked at")
    def not_looked_at(self, repository: ProductRepository) -> str:
        result = kept_result(repository)
        return _list(f"{unread.path}: {unread.reason}" for unread in result.unread) if result else ""


def host_names(repository: ProductRepository) -> list[str]:
    """The hosts that it uses, by name."""
    return sorted(repository.hosts.values_list("name", flat=True)) if repository.pk else []


def _list(lines: Iterable[str]) -> str:
    """One below the other, with what could hide or turn round a part of it made visible."""
    return format_html_join("", "<div>{}</div>", ((printable(line),) for line in lines)) or "none"


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ["observed_at", "host", "resources", "duration_ms", "disk_free_bytes", "reclaimable_bytes"]
    list_filter = [("host", admin.RelatedOnlyFieldListFilter)]
    fields = [
        "host",
        "observed_at",
        "duration_ms",
        "resources",
        "disk_total_bytes",
        "disk_free_bytes",
        "reclaimable_bytes",
        "joint_reclaim_bytes",
        "report",
    ]


@admin.register(ObservationRun)
class ObservationRunAdmin(ReadOnlyAdmin):
    list_display = ["asked_at", "host", "status", "asked_by", "sentence"]
    list_filter = ["status", ("host", admin.RelatedOnlyFieldListFilter)]
    exclude = ["snapshot"]
