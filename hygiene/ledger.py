"""The ledger: since when a resource is here, and when it was last used (X5). A pass writes only what changed."""

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet

from hygiene.builder_parts import builder_key
from hygiene.contracts import Confidence, Event, History, Inventory, Key, Kind
from hygiene.contracts.policy import GAP_NOTED_EVERY
from hygiene.models import Resource
from hygiene.uses import last_uses
from launchplane.hosts.models import Host

KINDS = {kind.value: kind for kind in Kind}
FIELDS = (
    "first_seen_at",
    "gone_at",
    "in_use",
    "last_used_at",
    "last_used_confidence",
    "unused_since",
    "dangling_since",
)
BATCH = 500


@dataclass(slots=True)
class Row:
    """One line of the ledger, apart from whose it is; `pk` is None until it is stored."""

    pk: int | None
    first_seen_at: datetime
    gone_at: datetime | None
    in_use: bool
    last_used_at: datetime | None
    last_used_confidence: str
    unused_since: datetime | None
    dangling_since: datetime | None

    def fields(self) -> dict[str, datetime | str | bool | None]:
        """The columns by name."""
        return {name: getattr(self, name) for name in FIELDS}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a pass saw of one resource; `in_use` is None where it could not see who uses it."""

    in_use: bool | None
    dangling: bool


class Ledger:
    """The ledger of one host: what is there, read once. What is gone is read when it comes back."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._rows = _read(Resource.objects.filter(host=host, gone_at=None))

    def record(self, inventory: Inventory, events: tuple[Event, ...], *, events_lost: bool, now: datetime) -> int:
        """Bring the ledger up to what a pass saw. Returns how many rows were written.

        Kinds that the pass could not list are left as they are: not listed is not gone.
        """
        uses = last_uses(inventory, events)
        seen = dict(_seen(inventory))
        self._rows |= self._gone(seen.keys() - self._rows.keys())
        before = {key: replace(row) for key, row in self._rows.items()}
        for key, what in seen.items():
            row = self._rows.get(key)
            if row is None:
                self._rows[key] = _first(what, uses.get(key), now)
            else:
                _update(row, what, uses.get(key), lost=events_lost, now=now)
        complete = _listed_kinds(inventory)
        for key, row in self._rows.items():
            if key not in seen and key[0] in complete and row.gone_at is None:
                row.gone_at = now
                _rest(row, uses.get(key), lost=events_lost, now=now)
        return self._write(before)

    def history(self, *, now: datetime) -> dict[Key, History]:
        """What is known of everything that is on the host. Something in use was last used `now`."""
        return {
            key: History(
                first_seen_at=row.first_seen_at,
                last_used_at=now if row.in_use else row.last_used_at,
                last_used_confidence=Confidence.POLLED if row.in_use else Confidence(row.last_used_confidence),
                dangling_since=row.dangling_since,
                unused_since=row.unused_since,
            )
            for key, row in self._rows.items()
            if row.gone_at is None
        }

    def _gone(self, keys: Set[Key]) -> dict[Key, Row]:
        """The rows of what was there before and went."""
        found: dict[Key, Row] = {}
        for kind in Kind:
            names = sorted(key for of, key in keys if of == kind)
            for start in range(0, len(names), BATCH):
                rows = Resource.objects.filter(host=self._host, kind=kind, key__in=names[start : start + BATCH])
                found |= _read(rows)
        return found

    def _write(self, before: dict[Key, Row]) -> int:
        new = [self._resource(key, row) for key, row in self._rows.items() if key not in before]
        changed = [self._resource(key, row) for key, row in self._rows.items() if key in before and row != before[key]]
        Resource.objects.bulk_create(new, batch_size=BATCH)
        Resource.objects.bulk_update(changed, FIELDS, batch_size=BATCH)
        return len(new) + len(changed)

    def _resource(self, key: Key, row: Row) -> Resource:
        return Resource(pk=row.pk, host=self._host, kind=key[0].value, key=key[1], **row.fields())


def _read(rows: QuerySet[Resource]) -> dict[Key, Row]:
    values = rows.values_list("kind", "key", "pk", *FIELDS)
    return {(KINDS[kind], key): Row(*rest) for kind, key, *rest in values.iterator()}


def record(host: Host, inventory: Inventory, events: tuple[Event, ...], *, events_lost: bool, now: datetime) -> int:
    """Bring the ledger of `host` up to what a pass saw. Returns how many rows were written."""
    return Ledger(host).record(inventory, events, events_lost=events_lost, now=now)


def history(host: Host, *, now: datetime) -> dict[Key, History]:
    """What the ledger knows of everything that is on `host`. One query."""
    return Ledger(host).history(now=now)


def _seen(inventory: Inventory) -> Iterator[tuple[Key, Seen]]:
    alive = [container for container in inventory.containers if container.alive]
    used_images = {container.image_id for container in alive}
    used_volumes = {mount.source for container in alive for mount in container.mounts if mount.kind == "volume"}
    unseen = None if "containers" in inventory.unmeasured else False
    for image in inventory.images:
        yield (Kind.IMAGE, image.id), Seen(image.id in used_images or unseen, image.dangling)
    for container in inventory.containers:
        yield (Kind.CONTAINER, container.id), Seen(container.alive, False)
    for volume in inventory.volumes:
        yield (Kind.VOLUME, volume.name), Seen(volume.name in used_volumes or unseen, False)
    for builder in inventory.builders:
        yield (Kind.BUILDER, builder_key(builder)), Seen(builder.state == "running" or unseen, False)


def _listed_kinds(inventory: Inventory) -> set[Kind]:
    """The kinds of which this pass has the whole list."""
    fields = {Kind.IMAGE: "images", Kind.CONTAINER: "containers", Kind.VOLUME: "volumes"}
    listed = {kind for kind, field in fields.items() if field not in inventory.unmeasured}
    if {Kind.CONTAINER, Kind.VOLUME} <= listed:
        listed.add(Kind.BUILDER)
    return listed


def _first(what: Seen, used_at: datetime | None, now: datetime) -> Row:
    used = used_at or (now if what.in_use else None)
    confidence = Confidence.EVENT if used_at else Confidence.POLLED if what.in_use else Confidence.NEVER_SEEN
    return Row(
        pk=None,
        first_seen_at=now,
        gone_at=None,
        in_use=bool(what.in_use),
        last_used_at=used,
        last_used_confidence=confidence.value,
        unused_since=None if what.in_use else now,
        dangling_since=now if what.dangling else None,
    )


def _update(row: Row, what: Seen, used_at: datetime | None, *, lost: bool, now: datetime) -> None:
    """Move one row on. The time of an event beats the time of the pass; a use between two passes is still a use."""
    if row.gone_at is not None:  # what comes back is as new: nobody knows what it was in between
        row.gone_at, row.unused_since, row.dangling_since = None, now, None
    row.dangling_since = (row.dangling_since or now) if what.dangling else None
    if what.in_use:
        row.in_use, row.unused_since = True, None
    elif what.in_use is not None:
        _rest(row, used_at, lost=lost, now=now)


def _rest(row: Row, used_at: datetime | None, *, lost: bool, now: datetime) -> None:
    """Nobody uses it now: note when and how surely that began, if it is news.

    With an event of a use nothing was missed since: events are lost oldest first.
    """
    if used_at is not None and (row.last_used_at is None or used_at > row.last_used_at):
        row.last_used_at, row.last_used_confidence = used_at, Confidence.EVENT.value
        row.unused_since = used_at
    elif row.in_use:
        row.last_used_at = row.unused_since = now
        row.last_used_confidence = (Confidence.GAP if lost else Confidence.POLLED).value
    elif lost and not _gap_is_noted(row, now):
        row.last_used_confidence, row.unused_since = Confidence.GAP.value, now
    row.in_use = False
    row.unused_since = row.unused_since or now


def _gap_is_noted(row: Row, now: datetime) -> bool:
    if row.last_used_confidence != Confidence.GAP or row.unused_since is None:
        return False
    return now - row.unused_since < GAP_NOTED_EVERY
