"""Changes: what alters a host is planned, approved, applied and recorded here."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ChangesConfig(AppConfig):
    name = "launchplane.changes"
    label = "changes"

    def ready(self) -> None:
        from launchplane.changes import accept, adopt
        from launchplane.changes.tick import adopt_hosts, watch

        watch()
        accept.register()
        adopt.register()
        post_migrate.connect(adopt_hosts, sender=self, dispatch_uid="launchplane.changes.adopt")
