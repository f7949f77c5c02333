"""Audits: evidence that cannot be altered unnoticed."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditsConfig(AppConfig):
    name = "audits"

    def ready(self) -> None:
        from audits import triggers

        post_migrate.connect(triggers.ensure, sender=self, dispatch_uid="audits.triggers")
