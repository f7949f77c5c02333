"""Are the workers alive? Each queue leaves a heartbeat in the database; a process that looks alive proves nothing."""

from datetime import datetime, timedelta

from django.utils import timezone

from launchplane.schedule.models import Heartbeat

QUEUES = ("observe", "apply")
SILENT_AFTER = timedelta(minutes=3)


def beat(queue: str) -> None:
    """Record that `queue` does its work now."""
    Heartbeat.objects.update_or_create(queue=queue, defaults={"at": timezone.now()})


def silent_queues(now: datetime) -> list[str]:
    """The queues not heard of for three minutes, or ever."""
    heard = set(Heartbeat.objects.filter(at__gt=now - SILENT_AFTER).values_list("queue", flat=True))
    return [queue for queue in QUEUES if queue not in heard]
