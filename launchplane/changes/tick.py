"""What has to happen to changes every minute: expire, recover, and try again what was put off."""

from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.utils import timezone
from django_q.tasks import async_task

from launchplane.changes import restored
from launchplane.changes.approvals import APPLY, QUEUED_AGAIN_AFTER
from launchplane.changes.models import Change
from launchplane.changes.models.change import Status
from launchplane.changes.plan_runs import settle
from launchplane.changes.recover import recover
from launchplane.changes.requests import expire_due
from launchplane.changes.standing import review
from launchplane.hosts.signals import host_added, host_edited
from launchplane.schedule import chores
from launchplane.schedule.tick import adopt


def watch() -> None:
    """Have it done every minute, and end standing approvals as soon as somebody loosens a bound."""
    chores.register("changes.expire", expire_due)
    chores.register("changes.recover", recover)
    chores.register("changes.restored", restored.watch)
    chores.register("changes.apply", queue_due)
    chores.register("changes.plan_runs", settle)
    host_edited.connect(lambda host, **_: review(host), weak=False, dispatch_uid="changes.review")
    host_added.connect(lambda host, **_: adopt(host), weak=False, dispatch_uid="changes.adopt")


def queue_due() -> int:
    """Queue every approved change whose next try is due, each by the one tick that moved it on. Returns how many."""
    now = timezone.now()
    due = Change.objects.filter(status=Status.APPROVED, next_try_at__lte=now, deadline__gt=now)
    return sum(_queue(change) for change in due.order_by("next_try_at", "pk"))


def _queue(change: Change) -> bool:
    mine = Change.objects.filter(pk=change.pk, status=Status.APPROVED, next_try_at=change.next_try_at)
    if mine.update(next_try_at=timezone.now() + QUEUED_AGAIN_AFTER) != 1:
        return False
    async_task(APPLY, str(change.pk), cluster="apply")
    return True


def adopt_hosts(apps: Apps = installed, **_: Any) -> None:
    """Give every host that is there already the schedules of the routine kinds, switched off."""
    from launchplane.hosts.models import Host

    try:
        for model in (("hosts", "Host"), ("schedule", "Schedule")):
            apps.get_model(*model)
    except LookupError:
        return
    for host in Host.objects.all():
        adopt(host)
