"""When what runs. Schedules come with a host; here they are moved, switched on and off."""

from django.contrib import admin

from launchplane.hosts.scoped_admin import ScopedAdmin
from launchplane.schedule.models import Schedule


@admin.register(Schedule)
class ScheduleAdmin(ScopedAdmin):
    verbs = ("view", "change")
    list_display = ["job", "host", "cron", "enabled", "next_due_at", "last_at", "last_ok", "last_sentence"]
    list_filter = ["enabled", ("host", admin.RelatedOnlyFieldListFilter)]
    fields = ["host", "job", "cron", "enabled", "next_due_at", "last_at", "last_ok", "last_sentence"]
    readonly_fields = ["host", "job", "next_due_at", "last_at", "last_ok", "last_sentence"]
