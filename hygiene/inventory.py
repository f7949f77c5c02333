"""The inventory of a host as people and programs look at it: every resource with its verdict, to filter and to sort."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hygiene import ledger, snapshots
from hygiene.builder_parts import builder_key
from hygiene.contracts import (
    Class,
    Confidence,
    History,
    Inventory,
    InventoryView,
    Key,
    Kind,
    Readings,
    Report,
    ResourceRow,
)
from hygiene.judge import Judgement, Reclaim
from hygiene.layers import known_layers
from hygiene.models import Snapshot
from hygiene.policy import policy_of
from hygiene.users import Users, find_users
from launchplane.hosts.models import Host


@dataclass(frozen=True, slots=True)
class HostView:
    """The latest look at a host, judged by the policy of now, as of the time of that look."""

    host: Host
    snapshot: Snapshot
    inventory: Inventory
    readings: Readings
    report: Report
    rows: list[ResourceRow]
    by_class_bytes: dict[Class, int]
    judgement: Judgement


def latest(host: Host) -> HostView | None:
    """The last snapshot of `host`, or None if there is none. A constant number of queries."""
    snapshot = host.snapshots.select_related("document").first()
    if snapshot is None:
        return None
    inventory = snapshots.load(snapshot)
    history = ledger.history(host, now=snapshot.observed_at)
    layers = known_layers(host, inventory.layered_ids)
    judgement = Judgement(inventory, history, policy_of(host), layers, now=snapshot.observed_at)
    return HostView(
        host=host,
        snapshot=snapshot,
        inventory=inventory,
        readings=snapshots.readings(snapshot),
        report=snapshots.stored_report(snapshot),
        rows=list(_rows(judgement, history)),
        by_class_bytes=judgement.by_class(),
        judgement=judgement,
    )


def view_for_programs(view: HostView, rows: Sequence[ResourceRow], *, limit: int | None = None) -> InventoryView:
    """The contract of the command and the API. Where it is cut, it says so and what the whole counts (H47)."""
    shown = rows if limit is None else rows[:limit]
    return InventoryView(
        host=view.host.name,
        observed_at=view.snapshot.observed_at,
        total=len(rows),
        truncated=len(shown) < len(rows),
        resources=tuple(shown),
    )


def select(
    rows: Sequence[ResourceRow], *, kind: str = "", cls: str = "", text: str = "", sort: str = "-size"
) -> list[ResourceRow]:
    """The rows of a kind and a class whose name, id or label has `text`, sorted; always in the same order (H47).

    What is not known comes last, whichever way it is sorted. An unknown `sort` sorts by kind and name.
    """
    wanted = text.casefold()
    found = [
        row
        for row in rows
        if (not kind or row.kind == kind) and (not cls or row.cls == cls) and (not wanted or _has(row, wanted))
    ]
    found.sort(key=lambda row: (row.kind, row.name, row.key))
    value = SORTS.get(sort.lstrip("-"))
    if value is not None:
        found.sort(key=lambda row: _rank(value(row), descending=sort.startswith("-")))
    return found


def reclaim(view: HostView, keys: Sequence[Key]) -> Reclaim:
    """What removing exactly these would free, together; those that cannot go are named with why."""
    return view.judgement.reclaim(keys)


def frees_alone(view: HostView, row: ResourceRow) -> int | None:
    """What removing this one alone would free; None if it is not known. What may not go is asked about all the same."""
    return view.judgement.frees_alone((row.kind, row.key))


SORTS: Mapping[str, Callable[[ResourceRow], float | None]] = {
    "size": lambda row: row.size_bytes,
    "age": lambda row: None if row.created_at is None else -row.created_at.timestamp(),
    "last_used": lambda row: None if row.last_used_at is None else row.last_used_at.timestamp(),
}


def _rank(value: float | None, *, descending: bool) -> tuple[bool, float]:
    if value is None:
        return True, 0
    return False, -value if descending else value


def _has(row: ResourceRow, wanted: str) -> bool:
    if wanted in row.name.casefold() or wanted in row.key.casefold():
        return True
    tags = row.details.get("tags")
    if isinstance(tags, tuple) and any(wanted in tag.casefold() for tag in tags):
        return True
    return any(wanted in f"{name}={value}".casefold() for name, value in row.labels.items())


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the kinds have not in common, on the way to a row."""

    name: str
    size_bytes: int | None
    created_at: datetime | None
    labels: Mapping[str, str]
    used_by: list[str]
    details: dict[str, object]
    shared_bytes: int | None = None
    unique_bytes: int | None = None
    last_used_at: datetime | None = None


def _rows(judgement: Judgement, history: Mapping[Key, History]) -> Iterator[ResourceRow]:
    for key, shape in _shapes(judgement.inventory, find_users(judgement.inventory)):
        verdict, past = judgement.verdicts[key], history.get(key)
        yield ResourceRow(
            kind=key[0],
            key=key[1],
            name=shape.name,
            size_bytes=shape.size_bytes,
            shared_bytes=shape.shared_bytes,
            unique_bytes=shape.unique_bytes,
            created_at=shape.created_at,
            last_used_at=past.last_used_at if past else shape.last_used_at,
            last_used_confidence=past.last_used_confidence if past else _engine_says(shape),
            labels=shape.labels,
            in_use_by=tuple(shape.used_by),
            cls=verdict.cls,
            rule=verdict.rule,
            reason=verdict.reason,
            first_seen=past.first_seen_at if past else None,
            details=shape.details,
        )


def _engine_says(shape: _Shape) -> Confidence:
    """Build cache is not in the ledger: BuildKit itself records each use."""
    return Confidence.EVENT if shape.last_used_at else Confidence.NEVER_SEEN


def _shapes(inventory: Inventory, users: Users) -> Iterator[tuple[Key, _Shape]]:
    for image in inventory.images:
        yield (
            (Kind.IMAGE, image.id),
            _Shape(
                name=image.tags[0] if image.tags else image.id,
                size_bytes=image.size_bytes,
                created_at=image.created_at,
                labels=image.labels,
                used_by=users.image_users(image),
                shared_bytes=image.shared_bytes,
                unique_bytes=image.unique_bytes,
                details={"tags": image.tags, "digests": image.digests, "dangling": image.dangling},
            ),
        )
    for container in inventory.containers:
        yield (
            (Kind.CONTAINER, container.id),
            _Shape(
                name=container.name or container.id,
                size_bytes=container.size_rw_bytes,
                created_at=container.created_at,
                labels=container.labels,
                used_by=[],
                details={
                    "image": container.image_ref,
                    "state": container.state,
                    "mounts": [mount.model_dump() for mount in container.mounts],
                },
            ),
        )
    for volume in inventory.volumes:
        yield (
            (Kind.VOLUME, volume.name),
            _Shape(
                name=volume.name,
                size_bytes=volume.size_bytes,
                created_at=volume.created_at,
                labels=volume.labels,
                used_by=users.volume_users(volume.name),
                details={
                    "driver": volume.driver,
                    "mountpoint": volume.mountpoint,
                    "ref_count": volume.ref_count,
                },
            ),
        )
    for record in inventory.build_cache:
        yield (
            (Kind.BUILD_CACHE, record.key),
            _Shape(
                name=record.key,
                size_bytes=record.size_bytes,
                created_at=record.created_at,
                labels={},
                used_by=[],
                last_used_at=record.last_used_at,
                details={
                    "builder": record.builder,
                    "type": record.type,
                    "shared": record.shared,
                    "usage_count": record.usage_count,
                },
            ),
        )
    for builder in inventory.builders:
        yield (
            (Kind.BUILDER, builder_key(builder)),
            _Shape(
                name=builder.name,
                size_bytes=builder.cache_bytes,
                created_at=None,
                labels={},
                used_by=[],
                details={
                    "state": builder.state,
                    "container": builder.container_name,
                    "volume": builder.volume,
                    "image": builder.image_ref,
                    "buildkit_version": builder.buildkit_version,
                },
            ),
        )
