"""Are the workers alive? Each queue leaves a heartbeat in the database; a process that looks alive proves nothing."""

from datetime import datetime, timedelta

from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from launchplane.schedule.models import Heartbeat

QUEUES = ("observe", "apply")
SILENT_AFTER = timedelta(minutes=3)
BEAT = "launchplane.schedule.heartbeat.beat"


def beat(queue: str) -> None:
    """Record that `queue` does its work now."""
    Heartbeat.objects.update_or_create(queue=queue, defaults={"at": timezone.now()})


def ask_for_beats() -> None:
    """Queue a heartbeat on every queue where none waits yet: whoever works there leaves it at once."""
    for queue in QUEUES:
        if not _waits(queue):
            async_task(BEAT, queue, cluster=queue)


def _waits(queue: str) -> bool:
    """True if a heartbeat is queued that no worker has taken: one that was taken may have died with its worker."""
    untaken = OrmQ.objects.filter(key=queue, lock__lte=timezone.now())
    return any(row.task.get("func") == BEAT for row in untaken)


def heard_since(moment: datetime) -> bool:
    """True if every queue left a heartbeat after `moment`."""
    return Heartbeat.objects.filter(queue__in=QUEUES, at__gt=moment).count() == len(QUEUES)


def silent_queues(now: datetime) -> list[str]:
    """The queues not heard of for three minutes, or ever."""
    heard = set(Heartbeat.objects.filter(at__gt=now - SILENT_AFTER).values_list("queue", flat=True))
    return [queue for queue in QUEUES if queue not in heard]
