"""Access: who may do what."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    name = "launchplane.access"
    label = "access"

    def ready(self) -> None:
        from launchplane.access.groups import ensure_groups
        from launchplane.access.watch import watch

        post_migrate.connect(ensure_groups, dispatch_uid="launchplane.access.groups")
        watch()
