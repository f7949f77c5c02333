"""What is shown outside: the report and the inventory. Field names are used from outside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import Field

from hygiene.contracts.facts import DockerSummary
from hygiene.contracts.words import Class, Confidence, Kind
from launchplane.hosts.contracts import CompetingPrune, Contract


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
