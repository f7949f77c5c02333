"""The interface for programs, and what it has to remember."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "launchplane.api"
    label = "api"

    def ready(self) -> None:
        from launchplane.api import ingest
        from launchplane.schedule import chores

        chores.register("api.sweep", ingest.sweep)
