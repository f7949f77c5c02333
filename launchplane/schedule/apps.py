"""Schedules: what runs when, on which host, and whether the workers are alive."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ScheduleConfig(AppConfig):
    name = "launchplane.schedule"
    label = "schedule"

    def ready(self) -> None:
        from launchplane.schedule.tick import ensure_tick

        post_migrate.connect(ensure_tick, dispatch_uid="launchplane.schedule.tick")
