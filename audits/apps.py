"""Audits: evidence that cannot be altered unnoticed."""

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class AuditsConfig(AppConfig):
    name = "audits"

    def ready(self) -> None:
        from django_q.signals import post_execute_in_worker

        from audits import logs, triggers
        from audits.redact import LIVE, SHORTEST

        logs.watch_tracebacks()
        post_execute_in_worker.connect(logs.redact_result, dispatch_uid="audits.results")
        post_migrate.connect(triggers.ensure, sender=self, dispatch_uid="audits.triggers")
        for secret in own_secrets():
            if len(secret) >= SHORTEST:
                LIVE.register(secret)


def own_secrets() -> list[str]:
    """What the settings hold that nobody else may read."""
    passwords = [str(database.get("PASSWORD") or "") for database in settings.DATABASES.values()]
    return [settings.SECRET_KEY, *passwords, *getattr(settings, "NOTIFY_URLS", ()), settings.GITHUB_TOKEN]
