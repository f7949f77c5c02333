"""The ledger: since when a resource is here, and when it was last used (X5). A pass writes only what changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hygiene.classify import Key, builder_key
from hygiene.contracts import Confidence, Event, History, Inventory, Kind
from hygiene.models import Resource
from hygiene.uses import last_uses
from launchplane.hosts.models import Host

WRITTEN = ("gone_at", "in_use", "last_used_at", "last_used_confidence", "unused_since", "dangling_since")
BATCH = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """What a pass saw of one resource."""

    in_use: bool
    dangling: bool


def record(host: Host, inventory: Inventory, events: tuple[Event, ...], *, events_lost: bool, now: datetime) -> int:
    """Bring the ledger of `host` up to what a pass saw. Returns how many rows were written.

    Kinds that the pass could not list are left as they are: not listed is not gone.
    """
    seen = dict(_seen(inventory))
    uses = last_uses(inventory, events)
    rows = {(Kind(row.kind), row.key): row for row in Resource.objects.filter(host=host)}
    new = [_first(host, key, what, uses.get(key), now) for key, what in seen.items() if key not in rows]
    complete = _listed_kinds(inventory)
    changed = []
    for key, row in rows.items():
        before = [getattr(row, field) for field in WRITTEN]
        if key in seen:
            _update(row, seen[key], uses.get(key), lost=events_lost, now=now)
        elif key[0] in complete and row.gone_at is None:
            row.gone_at, row.in_use = now, False
        if before != [getattr(row, field) for field in WRITTEN]:
            changed.append(row)
    Resource.objects.bulk_create(new, batch_size=BATCH)
    Resource.objects.bulk_update(changed, WRITTEN, batch_size=BATCH)
    return len(new) + len(changed)


def history(host: Host, *, now: datetime) -> dict[Key, History]:
    """What the ledger knows of everything that is on `host`. One query. Something in use was last used `now`."""
    rows = Resource.objects.filter(host=host, gone_at=None).values_list(
        "kind",
        "key",
        "first_seen_at",
        "in_use",
        "last_used_at",
        "last_used_confidence",
        "dangling_since",
        "unused_since",
    )
    return {
        (Kind(kind), key): History(
            first_seen_at=first_seen,
            last_used_at=now if in_use else last_used,
            last_used_confidence=Confidence.POLLED if in_use else Confidence(confidence),
            dangling_since=dangling_since,
            unused_since=unused_since,
        )
        for kind, key, first_seen, in_use, last_used, confidence, dangling_since, unused_since in rows
    }


def _seen(inventory: Inventory) -> Iterator[tuple[Key, Seen]]:
    alive = [container for container in inventory.containers if container.alive]
    used_images = {container.image_id for container in alive}
    used_volumes = {mount.source for container in alive for mount in container.mounts if mount.kind == "volume"}
    for image in inventory.images:
        yield (Kind.IMAGE, image.id), Seen(image.id in used_images, image.dangling)
    for container in inventory.containers:
        yield (Kind.CONTAINER, container.id), Seen(container.alive, False)
    for volume in inventory.volumes:
        yield (Kind.VOLUME, volume.name), Seen(volume.name in used_volumes, False)
    for builder in inventory.builders:
        yield (Kind.BUILDER, builder_key(builder)), Seen(builder.state == "running", False)


def _listed_kinds(inventory: Inventory) -> set[Kind]:
    """The kinds of which this pass has the whole list."""
    fields = {Kind.IMAGE: "images", Kind.CONTAINER: "containers", Kind.VOLUME: "volumes"}
    listed = {kind for kind, field in fields.items() if field not in inventory.unmeasured}
    if {Kind.CONTAINER, Kind.VOLUME} <= listed:
        listed.add(Kind.BUILDER)
    return listed


def _first(host: Host, key: Key, what: Seen, used_at: datetime | None, now: datetime) -> Resource:
    used = used_at or (now if what.in_use else None)
    confidence = Confidence.EVENT if used_at else Confidence.POLLED if what.in_use else Confidence.NEVER_SEEN
    return Resource(
        host=host,
        kind=key[0].value,
        key=key[1],
        first_seen_at=now,
        in_use=what.in_use,
        last_used_at=used,
        last_used_confidence=confidence,
        unused_since=None if what.in_use else now,
        dangling_since=now if what.dangling else None,
    )


def _update(row: Resource, what: Seen, used_at: datetime | None, *, lost: bool, now: datetime) -> None:
    """Move one row on. The time of an event beats the time of the pass; a use between two passes is still a use."""
    row.dangling_since = (row.dangling_since or now) if what.dangling else None
    if row.gone_at is not None:
        row.gone_at, row.unused_since = None, now
    if what.in_use:
        row.in_use, row.unused_since = True, None
        return
    if used_at is not None and (row.last_used_at is None or used_at > row.last_used_at):
        row.last_used_at, row.last_used_confidence = used_at, Confidence.EVENT.value
        row.unused_since = used_at
    elif row.in_use:
        row.last_used_at = row.unused_since = now
        row.last_used_confidence = (Confidence.GAP if lost else Confidence.POLLED).value
    row.in_use = False
    row.unused_since = row.unused_since or now
