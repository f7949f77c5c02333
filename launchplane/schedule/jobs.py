"""The jobs that can be scheduled. A domain registers its own; the tick knows only their names."""

from collections.abc import Callable
from dataclasses import dataclass

from launchplane.hosts.models import Host


def not_held_back(_host: Host) -> None:
    """Nothing keeps a job from running by itself."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something that runs on a schedule. `run` returns one sentence; what it raises is recorded and stops no other.

    `held_back` says in a sentence why it must not run on a host by itself now (None: it may). With such a reason its
    schedule there cannot be enabled, and one that is enabled already does not run.
    """

    name: str
    title: str
    default_cron: str
    starts_enabled: bool
    run: Callable[[Host], str]
    held_back: Callable[[Host], str | None] = not_held_back


_jobs: dict[str, Job] = {}


def register(job: Job) -> None:
    """Make `job` known; a later one of the same name takes its place."""
    _jobs[job.name] = job


def find(name: str) -> Job | None:
    """The job of that name, if a domain has registered it."""
    return _jobs.get(name)


def all_jobs() -> list[Job]:
    """Every registered job."""
    return list(_jobs.values())


def forget(name: str) -> None:
    """The job of that name is not known any more."""
    _jobs.pop(name, None)
