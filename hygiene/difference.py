"""What changed between two snapshots. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hygiene.builder_parts import builder_key
from hygiene.contracts import Builder, CacheRecord, Container, Image, Inventory, Key, Kind, Volume
from hygiene.lists import not_listed, not_read
from launchplane.words import human_bytes

KINDS = {
    Kind.IMAGE: "images",
    Kind.CONTAINER: "containers",
    Kind.VOLUME: "volumes",
    Kind.BUILD_CACHE: "build cache",
    Kind.BUILDER: "builders",
}
Item = Image | Container | Volume | CacheRecord | Builder


@dataclass(frozen=True, slots=True)
class Line:
    """One resource that came, went or changed; `what` says how it changed."""

    kind: Kind
    key: str
    name: str
    size_bytes: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Difference:
    """The lines between two inventories, largest first; `not_compared` names what one of the two could not list."""

    added: tuple[Line, ...]
    gone: tuple[Line, ...]
    changed: tuple[Line, ...]
    not_compared: tuple[str, ...] = ()


def difference(older: Inventory, newer: Inventory) -> Difference:
    """What `newer` has more, what it has no more, and what is there in both but differs.

    A list that is not whole in both is left out: what it lacks has neither come nor gone.
    """
    before, after = dict(_items(older)), dict(_items(newer))
    hidden = [kind for kind in KINDS if kind in not_listed(older) or kind in not_listed(newer)]
    inside = {record.builder for each in (older, newer) for record in each.build_cache}
    silent = sorted(inside & (not_read(older).keys() | not_read(newer).keys()))
    for items in (before, after):
        for key in [key for key, item in items.items() if _is_hidden(item, key, hidden, silent)]:
            del items[key]
    changed = [
        _line(key, after[key], _how(before[key], after[key]))
        for key in after.keys() & before.keys()
        if before[key] != after[key]
    ]
    return Difference(
        added=_sorted([_line(key, after[key], "new") for key in after.keys() - before.keys()]),
        gone=_sorted([_line(key, before[key], "gone") for key in before.keys() - after.keys()]),
        changed=_sorted([line for line in changed if line.what]),
        not_compared=(*(KINDS[kind] for kind in hidden), *(f"build cache of builder {name}" for name in silent)),
    )


def _is_hidden(item: Item, key: Key, kinds: Collection[Kind], builders: Collection[str]) -> bool:
    return key[0] in kinds or (isinstance(item, CacheRecord) and item.builder in builders)


def _items(inventory: Inventory) -> Iterator[tuple[Key, Item]]:
    yield from (((Kind.IMAGE, image.id), image) for image in inventory.images)
    yield from (((Kind.CONTAINER, container.id), container) for container in inventory.containers)
    yield from (((Kind.VOLUME, volume.name), volume) for volume in inventory.volumes)
    yield from (((Kind.BUILD_CACHE, record.key), record) for record in inventory.build_cache)
    yield from (((Kind.BUILDER, builder_key(builder)), builder) for builder in inventory.builders)


def _line(key: Key, item: Item, what: str) -> Line:
    return Line(key[0], key[1], _name(item), _size(item), what)


def _name(item: Item) -> str:
    if isinstance(item, Image):
        return item.tags[0] if item.tags else item.id
    if isinstance(item, CacheRecord):
        return item.key
    return item.name


def _size(item: Item) -> int | None:
    if isinstance(item, Container):
        return item.size_rw_bytes
    if isinstance(item, Builder):
        return item.cache_bytes
    return item.size_bytes


def _how(before: Item, after: Item) -> str:
    """The differences that matter to a person, in words; empty if there is none."""
    found = []
    if _size(before) != _size(after):
        found.append(f"size {human_bytes(_size(before))} → {human_bytes(_size(after))}")
    if isinstance(before, Image) and isinstance(after, Image) and before.tags != after.tags:
        found.append(f"tags {_tags(before)} → {_tags(after)}")
    if (
        isinstance(before, Container | Builder)
        and isinstance(after, Container | Builder)
        and before.state != after.state
    ):
        found.append(f"state {before.state} → {after.state}")
    if isinstance(before, Volume) and isinstance(after, Volume) and before.ref_count != after.ref_count:
        found.append(f"references {_count(before.ref_count)} → {_count(after.ref_count)}")
    return ", ".join(found)


def _tags(image: Image) -> str:
    return ", ".join(image.tags) or "none"


def _count(count: int | None) -> str:
    return "not known" if count is None else str(count)


def _sorted(lines: list[Line]) -> tuple[Line, ...]:
    return tuple(sorted(lines, key=lambda line: (-(line.size_bytes or 0), line.kind, line.key)))
