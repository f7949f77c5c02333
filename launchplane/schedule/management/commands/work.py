"""`manage.py work`: workers for the queue that Q_CLUSTER_NAME names, who are told when they must end."""

from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django_q.cluster import Cluster

from launchplane.schedule.stopping import say_stopping


class TellingCluster(Cluster):  # type: ignore[misc]
    """django-q's own lets a worker go on to the end of its task, however many items that still has."""

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        say_stopping()
        super().sig_handler(signum, frame)


class Command(BaseCommand):
    help = "Works off the queue named by Q_CLUSTER_NAME, until SIGTERM or SIGINT; the item in hand is finished then."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        TellingCluster().start()
