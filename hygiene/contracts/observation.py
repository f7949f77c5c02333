"""One pass over a host: the inventory, and the readings that move all the time."""

from collections.abc import Mapping
from datetime import datetime

from hygiene.contracts.facts import Inventory
from launchplane.hosts.contracts import (
    CompetingPrune,
    ContainerLog,
    Contract,
    DiskReading,
    RegistryLogin,
    RunnerProcess,
    RunnerRoot,
)


class RunningBuild(Contract):
    """A build that runs now inside a builder."""

    builder: str
    ref: str
    started_at: datetime | None


class Event(Contract):
    """Something the engine says happened to a resource; `at` is the engine's time."""

    at: datetime
    kind: str
    action: str
    subject: str
    image: str | None
    container: str | None


class Readings(Contract):
    """The part of an observation that moves all the time: disk, folders, processes, builds."""

    disk: DiskReading | None
    root_disk: DiskReading | None
    runner_disks: tuple[DiskReading, ...]
    runner_roots: tuple[RunnerRoot, ...] | None
    container_logs: tuple[ContainerLog, ...] | None
    runner_processes: tuple[RunnerProcess, ...] | None
    competing_prunes: tuple[CompetingPrune, ...] | None
    registry_logins: tuple[RegistryLogin, ...] | None
    running_builds: tuple[RunningBuild, ...] | None
    events_truncated: bool
    unmeasured: Mapping[str, str]


class Observation(Contract):
    """Everything one pass saw."""

    inventory: Inventory
    readings: Readings
    events: tuple[Event, ...]
    observed_at: datetime
    duration_ms: int
