"""What was observed, how it is judged and what is reported: the words that every part of hygiene shares.

Bytes are integers, times are aware UTC, None means "not measured" (the reason stands in `unmeasured`), never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from launchplane.hosts.contracts import (
    CompetingPrune,
    ContainerLog,
    Contract,
    DiskReading,
    RegistryLogin,
    RunnerProcess,
    RunnerRoot,
)


class Kind(StrEnum):
    """What a resource is."""

    IMAGE = "image"
    CONTAINER = "container"
    VOLUME = "volume"
    BUILD_CACHE = "build_cache"
    BUILDER = "builder"


class Class(StrEnum):
    """The one verdict on a resource. Unknown is treated as protected."""

    PROTECTED = "protected"
    IN_USE = "in_use"
    KEPT = "kept"
    CANDIDATE = "candidate"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How a last use is known: seen as an event, seen between two passes, passes with lost events, or never seen."""

    EVENT = "event"
    POLLED = "polled"
    GAP = "gap"
    NEVER_SEEN = "never_seen"


# --- facts -----------------------------------------------------------------------------------------------------------


class EngineFacts(Contract):
    """The engine, as it describes itself."""

    engine_id: str
    version: str
    api_version: str
    docker_root: str
    storage_driver: str
    swarm: Literal["inactive", "manager", "worker", "unknown"]
    registry_server: str


class Image(Contract):
    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    created_at: datetime | None
    size_bytes: int | None
    shared_bytes: int | None
    labels: Mapping[str, str]

    @property
    def dangling(self) -> bool:
        return not self.tags

    @property
    def unique_bytes(self) -> int | None:
        if self.size_bytes is None or self.shared_bytes is None:
            return None
        return self.size_bytes - self.shared_bytes


class Mount(Contract):
    """Where a container holds a volume (`source` is its name) or a folder of the host (`source` is a path)."""

    kind: str
    source: str
    destination: str


class Container(Contract):
    id: str
    name: str
    image_id: str
    image_ref: str
    state: str
    created_at: datetime | None
    size_rw_bytes: int | None
    labels: Mapping[str, str]
    mounts: tuple[Mount, ...]

    @property
    def alive(self) -> bool:
        """Not stopped for good: the engine's client counts running, paused and restarting as active."""
        return self.state in ("running", "paused", "restarting")


class Volume(Contract):
    name: str
    driver: str
    mountpoint: str
    created_at: datetime | None
    size_bytes: int | None
    ref_count: int | None
    labels: Mapping[str, str]


class CacheRecord(Contract):
    """A record of build cache; `builder` is the node's name, empty for the engine's own BuildKit.

    A shared record of the engine's own BuildKit holds an image's layer: its bytes are counted with the images.
    """

    builder: str
    id: str
    parent: str
    type: str
    size_bytes: int | None
    in_use: bool
    shared: bool
    created_at: datetime | None
    last_used_at: datetime | None
    usage_count: int | None

    @property
    def key(self) -> str:
        return f"{self.builder}/{self.id}" if self.builder else self.id


class GcPolicy(Contract):
    """One rule of a BuildKit's own garbage collection."""

    all: bool
    filters: tuple[str, ...]
    keep_seconds: int
    reserved_bytes: int
    max_used_bytes: int
    min_free_bytes: int


class Builder(Contract):
    """A buildx docker-container builder's node, its container and its state volume."""

    name: str
    state: Literal["running", "stopped", "orphan"]
    container_id: str | None
    container_name: str | None
    container_state: str | None
    image_id: str | None
    image_ref: str | None
    volume: str | None
    buildkit_version: str | None
    cache_bytes: int | None
    gc_policy: tuple[GcPolicy, ...] | None


class Service(Contract):
    """A swarm service: how many tasks it wants and how many run."""

    id: str
    name: str
    stack: str | None
    image: str
    wanted: int | None
    running: int | None
    volumes: tuple[str, ...]


class TypeSummary(Contract):
    """One line of the engine's own `system df`. A size of which a part is unknown is None."""

    count: int
    active: int
    size_bytes: int | None
    reclaimable_bytes: int | None


class DockerSummary(Contract):
    """The four types as that engine's own client counts them; a type that could not be read is None."""

    images: TypeSummary | None
    containers: TypeSummary | None
    volumes: TypeSummary | None
    build_cache: TypeSummary | None

    @property
    def reclaimable_bytes(self) -> int | None:
        """The sum of the four; None as soon as one is missing (H4)."""
        total = 0
        for part in (self.images, self.containers, self.volumes, self.build_cache):
            if part is None or part.reclaimable_bytes is None:
                return None
            total += part.reclaimable_bytes
        return total


class Inventory(Contract):
    """What an engine holds: the part of an observation that stays the same while nothing changes."""

    engine: EngineFacts
    images: tuple[Image, ...]
    containers: tuple[Container, ...]
    volumes: tuple[Volume, ...]
    build_cache: tuple[CacheRecord, ...]
    builders: tuple[Builder, ...]
    services: tuple[Service, ...] | None
    summary: DockerSummary
    layers_bytes: int | None
    unmeasured: Mapping[str, str]


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


# --- judgement -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger knows of one resource. There are as many as resources, and they never leave the process."""

    first_seen_at: datetime
    last_used_at: datetime | None
    last_used_confidence: Confidence
    dangling_since: datetime | None
    unused_since: datetime | None


class ProtectionRule(Contract):
    """A no-touch rule; `pattern` is RE2, searched in names, tags, ids (kind `label`: in `key=value`)."""

    kind: Literal["image", "container", "volume", "builder", "label", "any"]
    pattern: str
    reason: str


class BudgetRule(Contract):
    """A retention bound. Without `max_bytes` age alone decides; `reserve_bytes` is never gone below."""

    scope: str
    max_bytes: int | None
    reserve_bytes: int
    min_age_seconds: int


class Policy(Contract):
    """All that an operator has said about a host, as the classifier needs it."""

    protections: tuple[ProtectionRule, ...]
    budgets: tuple[BudgetRule, ...]
    required_builders: tuple[str, ...]
    required_images: tuple[str, ...]
    managed_label: str


class Verdict(Contract):
    """The one class of a resource, the rule that decided it, and why in a sentence."""

    kind: Kind
    key: str
    cls: Class = Field(alias="class")
    rule: str
    reason: str


# --- what is shown outside -------------------------------------------------------------------------------------------


class Finding(Contract):
    """A policy is violated: what, and what to do next."""

    code: Literal[
        "free_disk_below_minimum",
        "docker_reclaimable_above_limit",
        "runner_workdir_above_limit",
        "orphan_buildkit_present",
        "required_warm_missing",
        "competing_prune",
        "measurement_partial",
        "label_matches_nothing",
    ]
    summary: str
    next_step: str


class WarmBuilder(Contract):
    name: str
    node: str
    container: str | None
    volume: str | None
    state: Literal["warm", "stopped", "missing", "unknown"]


class WarmImage(Contract):
    ref: str
    id: str | None
    present: bool | None


class Report(Contract):
    """The hygiene report of a host. Field names are used from outside."""

    host: str
    engine_id: str
    engine_version: str
    api_version: str
    observed_at: datetime
    duration_ms: int
    status: Literal["healthy", "attention"]
    free_disk_bytes: int | None
    disk_total_bytes: int | None
    disk_used_percent: int | None
    docker_reclaimable_bytes: int | None
    docker_summary: DockerSummary
    joint_reclaim_bytes: int | None
    unattributed_bytes: int | None
    runner_workdir_bytes: int | None
    orphan_buildkit_containers: int | None
    orphan_buildkit_images: int | None
    orphan_buildkit_volumes: int | None
    warm_builders: tuple[WarmBuilder, ...]
    warm_images: tuple[WarmImage, ...]
    competing_prunes: tuple[CompetingPrune, ...] | None
    findings: tuple[Finding, ...]
    unmeasured: Mapping[str, str]


class ResourceRow(Contract):
    """One line of the inventory."""

    kind: Kind
    key: str
    name: str
    size_bytes: int | None
    shared_bytes: int | None
    unique_bytes: int | None
    created_at: datetime | None
    last_used_at: datetime | None
    last_used_confidence: Confidence
    labels: Mapping[str, str]
    in_use_by: tuple[str, ...]
    cls: Class = Field(alias="class")
    rule: str
    reason: str
    first_seen: datetime | None
    details: Mapping[str, object]


class InventoryView(Contract):
    """The inventory as it is shown outside: `total` counts what matched, `truncated` says that the list is cut."""

    host: str
    observed_at: datetime
    total: int
    truncated: bool
    resources: tuple[ResourceRow, ...]
