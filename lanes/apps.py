"""Lanes: which runners are wanted, where they may be, and whether they are there."""

from django.apps import AppConfig


class LanesConfig(AppConfig):
    name = "lanes"

    def ready(self) -> None:
        from lanes.kinds import register_kinds
        from lanes.schedule import register

        register()
        register_kinds()
