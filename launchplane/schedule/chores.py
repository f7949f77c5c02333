"""What has to be done every minute, whatever the schedules say. A domain registers its own."""

import logging
from collections.abc import Callable

from django_q.tasks import async_task

log = logging.getLogger(__name__)

_chores: dict[str, Callable[[], object]] = {}


def register(name: str, do: Callable[[], object]) -> None:
    """Have `do` done every minute, each time in a task of its own."""
    _chores[name] = do


def queue_chores() -> None:
    """One task for each chore: a slow or broken one stops no other."""
    for name in _chores:
        async_task("launchplane.schedule.chores.run_chore", name, cluster="observe")


def run_chore(name: str) -> None:
    """Do it. What goes wrong is in the log; the next minute tries again."""
    try:
        _chores[name]()
    except Exception:
        log.exception("the chore %s failed", name)
