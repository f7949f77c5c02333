"""One reading of a machine, in plain values. One that fails never takes the others with it.

Anybody on the machine can name a folder or a program, and size a file, as they like: whatever is read goes through
`_plain`, so that none of it can keep an observation from being stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from onhost.engine.reduce import storable
from onhost.machine.disk import read_disk
from onhost.machine.folders import Runners, Size, read_runners
from onhost.machine.limits import Limits, NotMeasured
from onhost.machine.logs import read_logs
from onhost.machine.processes import read_runner_processes
from onhost.machine.prunes import read_prunes
from onhost.machine.registries import read_logins

LARGEST = 2**53 - 1  # the largest integer that canonical JSON can hold (RFC 8785, section 3.2.2.3)

T = TypeVar("T")
Plain = dict[str, Any]


@dataclass(frozen=True)
class Places:
    """Where to read. `forbidden` says by field why it is not read at all: on a host an administrator decides that."""

    docker_root: str
    runner_roots: tuple[str, ...]
    docker_configs: tuple[str, ...]
    forbidden: Mapping[str, str]


def readings(places: Places, limits: Limits, *, root: str = "/") -> Plain:
    """The fields of `MachineFacts` (launchplane/hosts/contracts.py). `unmeasured` says by field what was not read.

    `competing_prunes` may hold what was found although `unmeasured` says that some places could not be read.
    """
    unmeasured = dict(places.forbidden)

    def measured(field: str, read: Callable[[], T]) -> T | None:
        if field in unmeasured:
            return None
        try:
            return read()
        except NotMeasured as problem:
            unmeasured[field] = str(problem)
            return None

    paths = dict.fromkeys((places.docker_root, "/", *places.runner_roots))
    disks = [measured(f"disk:{path}", _disk_at(path, root)) for path in paths]
    told = {
        "disks": [disk for disk in disks if disk is not None],
        "competing_prunes": _prunes(limits, root, unmeasured),
        "runner_processes": measured("runner_processes", lambda: _each(read_runner_processes(limits, root=root))),
        "registry_logins": measured(
            "registry_logins", lambda: _each(read_logins(places.docker_configs, limits, root=root))
        ),
        "container_logs": measured("container_logs", lambda: _each(read_logs(places.docker_root, limits, root=root))),
        "runner_roots": measured("runner_roots", lambda: _runner_roots(places, limits, root)),
    }
    return {**told, "unmeasured": {field: storable(reason) for field, reason in unmeasured.items()}}


def _disk_at(path: str, root: str) -> Callable[[], Plain]:
    return lambda: _plain(read_disk(path, root=root))


def _prunes(limits: Limits, root: str, unmeasured: dict[str, str]) -> list[Plain] | None:
    survey = read_prunes(limits, root=root)
    if survey.unread:
        unmeasured["competing_prunes"] = "; ".join(survey.unread[:5])
    return None if survey.unread and not survey.found else _each(survey.found)


def _runner_roots(places: Places, limits: Limits, root: str) -> list[Plain]:
    return [_runner_root(read_runners(path, limits, root=root)) for path in places.runner_roots]


def _runner_root(runners: Runners) -> Plain:
    sizes: dict[str, tuple[Size, ...]] = {
        "work": runners.work,
        "diagnostics": runners.diagnostics,
        "superseded": runners.superseded,
    }
    return {"path": storable(runners.path), **{name: _each(found) for name, found in sizes.items()}}


def _each(found: Any) -> list[Plain]:
    return [_plain(reading) for reading in found]


def _plain(reading: Any) -> Plain:
    """A named tuple as it can be stored. Raises NotMeasured if it counts more than can be written down."""
    told: Plain = reading._asdict()
    if huge := next((name for name, value in told.items() if isinstance(value, int) and value > LARGEST), None):
        raise NotMeasured(f"{next(iter(told.values()))}: {huge} is beyond 2^53, more than can be written down")
    return {name: storable(value) if isinstance(value, str) else value for name, value in told.items()}
