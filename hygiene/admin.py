"""Protections and budgets are edited in the admin; what was observed is only looked at there."""

from django.contrib import admin

from hygiene.models import Budget, ObservationRun, Protection, Snapshot
from launchplane.hosts.admin import HostPartAdmin
from launchplane.hosts.fields import LengthField, SizeField, show_length, show_size
from launchplane.hosts.scoped_admin import ModelForm, ReadOnlyAdmin


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
