"""What a host says of itself, before any judgement: raw engine answers and readings of the machine.

Everything unmeasured is None with a reason in `unmeasured`; a measured zero is 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from onhost.engine.answers import Answer, EngineIdentity, RawObservation

__all__ = [
    "Answer",
    "CompetingPrune",
    "ContainerLog",
    "Contract",
    "DiskReading",
    "EngineIdentity",
    "FolderSize",
    "MachineFacts",
    "MachineQuestion",
    "RawObservation",
    "RegistryLogin",
    "RunnerProcess",
    "RunnerRoot",
]


class Contract(BaseModel):
    """A frozen contract that refuses fields it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class DiskReading(Contract):
    """One file system, as `df` counts: used_percent = used / (used + free for an ordinary user), rounded up."""

    path: str
    total_bytes: int
    free_bytes: int
    used_bytes: int
    used_percent: int
    device: int


class FolderSize(Contract):
    """A folder tree: bytes as files say (apparent) and as the disk holds them (allocated; hard links once)."""

    path: str
    apparent_bytes: int
    allocated_bytes: int
    files: int


class RunnerRoot(Contract):
    """One folder that holds runners: work folders, diagnostics, and superseded `bin.*`/`externals.*` of updates."""

    path: str
    work: tuple[FolderSize, ...]
    diagnostics: tuple[FolderSize, ...]
    superseded: tuple[FolderSize, ...]


class ContainerLog(Contract):
    """All log files of one container (current and rotated)."""

    container_id: str
    allocated_bytes: int


class RunnerProcess(Contract):
    """A runner's listener or worker that is alive. A worker is a job that runs."""

    pid: int
    name: Literal["Runner.Listener", "Runner.Worker"]
    user: str
    folder: str | None


class CompetingPrune(Contract):
    """Something else on the host that prunes (H62): a systemd timer or service, or a line of a crontab."""

    source: str
    what: str
    enabled: bool | None


class RegistryLogin(Contract):
    """A registry that a Docker client's configuration has credentials for. The credentials are never read out."""

    registry: str
    username: str | None
    source: str


class MachineFacts(Contract):
    """What the machine itself says, in one reading. What could not be read is None, with why in `unmeasured`."""

    disks: tuple[DiskReading, ...]
    runner_roots: tuple[RunnerRoot, ...] | None
    container_logs: tuple[ContainerLog, ...] | None
    runner_processes: tuple[RunnerProcess, ...] | None
    competing_prunes: tuple[CompetingPrune, ...] | None
    registry_logins: tuple[RegistryLogin, ...] | None
    unmeasured: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MachineQuestion:
    """What to read on a machine: paths and names from the host's record."""

    docker_root: str
    runner_roots: tuple[str, ...]
    docker_configs: tuple[str, ...]
    deadline: datetime | None = None
