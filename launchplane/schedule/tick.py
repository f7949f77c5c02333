"""The tick: once a minute it moves each due schedule on by compare-and-swap and queues its job.

One bad row stops no other: whatever goes wrong is written to its own row.
"""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule as QueueSchedule
from django_q.tasks import async_task

from audits.kept import kept
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Waits
from launchplane.schedule.chores import queue_chores
from launchplane.schedule.cron import BadCron, next_time
from launchplane.schedule.heartbeat import ask_for_beats
from launchplane.schedule.jobs import all_jobs, find
from launchplane.schedule.models import Schedule

log = logging.getLogger(__name__)


def ensure_tick(**_: Any) -> None:
    """The one django-q schedule there is: the tick, every minute on the observe queue."""
    QueueSchedule.objects.update_or_create(
        name="tick",
        defaults={
            "func": "launchplane.schedule.tick.tick",
            "schedule_type": QueueSchedule.MINUTES,
            "minutes": 1,
            "repeats": -1,
            "cluster": "observe",
        },
    )


def adopt(host: Host) -> None:
    """Give `host` a schedule for each job that is registered, as far as it has none."""
    for job in all_jobs():
        Schedule.objects.get_or_create(
            host=host, job=job.name, defaults={"cron": job.default_cron, "enabled": job.starts_enabled}
        )


def tick() -> int:
    """Ask every queue for a heartbeat, queue the chores and what is due. Returns how many jobs were queued."""
    ask_for_beats()
    queue_chores()
    now = timezone.now()
    due = Schedule.objects.filter(enabled=True, next_due_at__lte=now).order_by("next_due_at", "pk")
    return sum(_queue(schedule, now) for schedule in due)


def _queue(schedule: Schedule, now: datetime) -> bool:
    """True for the one tick that moved this schedule on; its row and its task are written together or not at all."""
    mine = Schedule.objects.filter(pk=schedule.pk, enabled=True, next_due_at=schedule.next_due_at)
    try:
        following = next_time(schedule.cron, now)
    except BadCron as bad:
        if mine.update(next_due_at=None) == 1:
            _note(schedule, ok=False, sentence=f"Not run, and not due any more: {bad}")
        return False
    with transaction.atomic():
        moved = mine.update(next_due_at=following) == 1
        if moved:
            async_task("launchplane.schedule.tick.run_job", schedule.pk, cluster="observe")
    return moved


def run_job(schedule_id: int) -> None:
    """Run one schedule's job and leave its sentence. Every failure ends on the row, and in the log with its trace.

    What stops the worker itself (the queue's time limit, a shutdown) is noted and goes on.
    """
    schedule = Schedule.objects.select_related("host").filter(pk=schedule_id).first()
    if schedule is None:
        return
    job = find(schedule.job)
    if job is None:
        _note(schedule, ok=False, sentence=f"No job is called {schedule.job!r}: this schedule does nothing.")
        return
    begun = timezone.now()
    try:
        if (why := job.held_back(schedule.host)) is not None:
            raise Waits("held_back", f"Not run: {why}")
        sentence = job.run(schedule.host)
    except Problem as problem:
        _note(schedule, ok=False, sentence=problem.sentence)
    except Exception as error:
        log.exception("schedule %s on %s failed", schedule.job, schedule.host)
        _note(schedule, ok=False, sentence=f"Failed unexpectedly: {type(error).__name__}. The log has the details.")
    except BaseException as stop:  # the queue's own time limit is a SystemExit
        _note(schedule, ok=False, sentence=f"Stopped before its end by {type(stop).__name__}: too slow, or shut down.")
        raise
    else:
        _note(schedule, ok=True, sentence=sentence, unless_since=begun)


def _note(schedule: Schedule, *, ok: bool, sentence: str, unless_since: datetime | None = None) -> None:
    """Write the outcome, and nothing else, to the schedule's row; not over what was written there after that time.

    What a job queued may have ended, and said so, before the job itself comes to say that it queued it.
    """
    rows = Schedule.objects.filter(pk=schedule.pk)
    if unless_since is not None:
        rows = rows.exclude(last_at__gt=unless_since)
    rows.update(last_at=timezone.now(), last_ok=ok, last_sentence=kept(sentence))
