"""Lanes: which runners are wanted, where they may be, and whether they are there."""

from django.apps import AppConfig


class LanesConfig(AppConfig):
    name = "lanes"

    def ready(self) -> None:
        from lanes.installed import lanes_there
        from lanes.kinds import register_kinds
        from lanes.schedule import register
        from launchplane.hosts.install import lanes

        lanes.register(lanes_there)
        register()
        register_kinds()
