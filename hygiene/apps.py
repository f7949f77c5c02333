"""Hygiene: what fills a host, what must stay, what could go."""

from django.apps import AppConfig


class HygieneConfig(AppConfig):
    name = "hygiene"

    def ready(self) -> None:
        from hygiene.freshness import watch_policy
        from hygiene.kinds import register_kinds
        from hygiene.loosening import watch_bounds
        from hygiene.regret import watch_snapshots
        from hygiene.schedule import register

        register()
        register_kinds()
        watch_policy()
        watch_bounds()
        watch_snapshots()
