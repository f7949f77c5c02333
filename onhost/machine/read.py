"""One reading of a machine, from plain readings to the contract. One that fails never takes the others with it.

Anybody on the machine can name a folder or a program, and size a file, as they like: whatever is read becomes a
contract by `_contract`, so that none of it can keep an observation from being stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from launchplane.hosts.contracts import (
    CompetingPrune,
    ContainerLog,
    Contract,
    DiskReading,
    FolderSize,
    MachineFacts,
    MachineQuestion,
    RegistryLogin,
    RunnerProcess,
    RunnerRoot,
)
from launchplane.hosts.machine.disk import read_disk
from launchplane.hosts.machine.folders import Runners, Size, read_runners
from launchplane.hosts.machine.limits import Limits, NotMeasured
from launchplane.hosts.machine.logs import read_logs
from launchplane.hosts.machine.processes import read_runner_processes
from launchplane.hosts.machine.prunes import read_prunes
from launchplane.hosts.machine.registries import read_logins
from launchplane.hosts.reduce import storable

DEFAULT_SECONDS = 60.0
LARGEST = 2**53 - 1  # the largest integer that canonical JSON can hold (RFC 8785, section 3.2.2.3)

T = TypeVar("T")
C = TypeVar("C", bound=Contract)


def read_machine(question: MachineQuestion, *, root: str = "/") -> MachineFacts:
    """Everything within the question's deadline. `unmeasured` says by field what was not read, and why.

    `competing_prunes` may hold what was found although `unmeasured` says that some places could not be read.
    """
    limits = Limits(_seconds_left(question))
    unmeasured: dict[str, str] = {}

    def measured(field: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except NotMeasured as problem:
            unmeasured[field] = str(problem)
            return None

    disks = [measured(f"disk:{path}", partial(_disk, path, root)) for path in _disk_paths(question)]
    return MachineFacts(
        disks=tuple(disk for disk in disks if disk is not None),
        competing_prunes=_prunes(limits, root, unmeasured),
        runner_processes=measured("runner_processes", lambda: _processes(limits, root)),
        registry_logins=measured("registry_logins", lambda: _logins(question, limits, root)),
        container_logs=measured("container_logs", lambda: _logs(question, limits, root)),
        runner_roots=measured("runner_roots", lambda: _runner_roots(question, limits, root)),
        unmeasured={field: storable(reason) for field, reason in unmeasured.items()},
    )


def _seconds_left(question: MachineQuestion) -> float:
    return DEFAULT_SECONDS if question.deadline is None else max(0.0, question.deadline.timestamp() - time.time())


def _disk_paths(question: MachineQuestion) -> Iterable[str]:
    return dict.fromkeys((question.docker_root, "/", *question.runner_roots))


def _disk(path: str, root: str) -> DiskReading:
    return _contract(DiskReading, read_disk(path, root=root)._asdict())


def _prunes(limits: Limits, root: str, unmeasured: dict[str, str]) -> tuple[CompetingPrune, ...] | None:
    survey = read_prunes(limits, root=root)
    if survey.unread:
        unmeasured["competing_prunes"] = "; ".join(survey.unread[:5])
    found = tuple(_contract(CompetingPrune, prune._asdict()) for prune in survey.found)
    return None if survey.unread and not found else found


def _processes(limits: Limits, root: str) -> tuple[RunnerProcess, ...]:
    return tuple(_contract(RunnerProcess, found._asdict()) for found in read_runner_processes(limits, root=root))


def _logins(question: MachineQuestion, limits: Limits, root: str) -> tuple[RegistryLogin, ...]:
    logins = read_logins(question.docker_configs, limits, root=root)
    return tuple(_contract(RegistryLogin, login._asdict()) for login in logins)


def _logs(question: MachineQuestion, limits: Limits, root: str) -> tuple[ContainerLog, ...]:
    return tuple(_contract(ContainerLog, log._asdict()) for log in read_logs(question.docker_root, limits, root=root))


def _runner_roots(question: MachineQuestion, limits: Limits, root: str) -> tuple[RunnerRoot, ...]:
    return tuple(_runner_root(read_runners(path, limits, root=root)) for path in question.runner_roots)


def _runner_root(runners: Runners) -> RunnerRoot:
    return RunnerRoot(
        path=runners.path,
        work=_sizes(runners.work),
        diagnostics=_sizes(runners.diagnostics),
        superseded=_sizes(runners.superseded),
    )


def _sizes(sizes: tuple[Size, ...]) -> tuple[FolderSize, ...]:
    return tuple(_contract(FolderSize, size._asdict()) for size in sizes)


def _contract(kind: type[C], reading: dict[str, Any]) -> C:
    """`reading` as it can be stored. Raises NotMeasured if it counts more than can be written down."""
    if huge := next((name for name, value in reading.items() if isinstance(value, int) and value > LARGEST), None):
        raise NotMeasured(f"{next(iter(reading.values()))}: {huge} is beyond 2^53, more than can be written down")
    return kind(**{name: storable(value) if isinstance(value, str) else value for name, value in reading.items()})
