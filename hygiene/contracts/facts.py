"""What an engine holds: the part of an observation that stays the same while nothing changes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from launchplane.hosts.contracts import Contract


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
    """An image. `parent_id` is what the classic builder built it upon: listed nowhere, and holding its layers."""

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    created_at: datetime | None
    size_bytes: int | None
    shared_bytes: int | None
    labels: Mapping[str, str]
    parent_id: str = ""

    @property
    def dangling(self) -> bool:
        return not self.tags

    @property
    def unique_bytes(self) -> int | None:
        """Bytes of the layers that no other image has; None too where the two figures contradict each other."""
        if self.size_bytes is None or self.shared_bytes is None or self.shared_bytes > self.size_bytes:
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
    """A swarm service: how many tasks it wants and how many run.

    Of its `volumes` each is the name of one, a folder of the host, or a template that the engine fills in.
    """

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

    @property
    def layered_ids(self) -> list[str]:
        """Every image whose layers matter: those that are listed, and the parents that stay when their child goes."""
        listed = [image.id for image in self.images]
        return list(dict.fromkeys([*listed, *(image.parent_id for image in self.images if image.parent_id)]))
