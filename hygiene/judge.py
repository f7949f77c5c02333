"""One inventory, judged: the verdict on each resource, and what removing any set of them frees. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from hygiene.builder_parts import builder_key
from hygiene.classify import classify
from hygiene.contracts import Class, History, Inventory, Key, Kind, Policy
from hygiene.reclaim import Layers, LayerStore

# a layer counts for the first of these classes that has it
STRONGEST_FIRST = (Class.PROTECTED, Class.IN_USE, Class.UNKNOWN, Class.KEPT, Class.CANDIDATE)
CACHE_UNKNOWN = "The build cache could not be read, and it may hold layers of these images."
HELD = "Build cache that was made upon it stays, and BuildKit removes the last made first."
REMOVABLE = (Class.CANDIDATE, Class.KEPT)


@dataclass(frozen=True, slots=True)
class Reclaim:
    """What removing a set frees: at least `freed_bytes`, at most `at_most_bytes`; None where a size is not known.

    `refused` are the members that cannot go, with why; they count for nothing.
    """

    freed_bytes: int | None
    at_most_bytes: int | None
    exact: bool
    sentences: tuple[str, ...]
    refused: tuple[tuple[Kind, str, str], ...]


class Judgement:
    """The verdicts on an inventory, and the arithmetic over it."""

    def __init__(
        self,
        inventory: Inventory,
        history: Mapping[Key, History],
        policy: Policy,
        layers: Mapping[str, Layers],
        *,
        now: datetime,
    ) -> None:
        """`layers` by image id; an image that is not in it is taken as unknown."""
        self.inventory = inventory
        self.verdicts = classify(inventory, history, policy, now=now)
        own_cache = [record for record in inventory.build_cache if not record.builder]
        self._store = LayerStore({image: layers.get(image) for image in inventory.layered_ids}, own_cache)
        self._cache_known = not {"docker_summary", "build_cache"} & inventory.unmeasured.keys()
        self._sizes = dict(_own_sizes(inventory))
        self._volume_of_builder = {b.name: b.volume for b in inventory.builders if b.volume}
        self._below = _records_below(inventory)
        self._inside = self._record_bytes_by_volume()

    def keys(self, cls: Class) -> list[Key]:
        """The resources of one class, in the inventory's order."""
        return [key for key, verdict in self.verdicts.items() if verdict.cls == cls]

    def candidates(self) -> Reclaim:
        """What removing everything that could go frees, together."""
        return self.reclaim(self.keys(Class.CANDIDATE))

    def reclaim(self, keys: Iterable[Key]) -> Reclaim:
        """What removing exactly these resources frees, together."""
        wanted = list(dict.fromkeys(keys))
        allowed = [key for key in wanted if self._removable(key)]
        held = self._held_records(allowed)
        going = [key for key in allowed if key not in held]
        refused = tuple(
            (*key, HELD if key in held else self._why_not(key))
            for key in wanted
            if key in held or not self._removable(key)
        )
        images = [key for kind, key in going if kind == Kind.IMAGE]
        freed = self._store.freed_by(images, (key for kind, key in going if kind == Kind.BUILD_CACHE))
        together = set(going)
        own_sizes = [self._size(key, together) for key in going if key[0] != Kind.IMAGE]
        unknown = own_sizes.count(None)
        sentences = _caveats(freed.held_by_cache_bytes, freed.unknown_images, unknown, exact=freed.exact)
        if images and not self._cache_known:
            return Reclaim(None, None, False, (CACHE_UNKNOWN, *sentences), refused)
        if unknown or freed.unknown_images:
            return Reclaim(None, None, False, sentences, refused)
        own = sum(size or 0 for size in own_sizes)
        return Reclaim(own + freed.at_least_bytes, own + freed.at_most_bytes, freed.exact, sentences, refused)

    def frees_alone(self, key: Key) -> int | None:
        """What removing this one alone would free, whatever its class; None where that is not known."""
        if key[0] == Kind.IMAGE:
            freed = self._store.freed_by([key[1]])
            return freed.at_least_bytes if freed.exact and self._cache_known else None
        return 0 if self._held_records([key]) else self._size(key, {key})

    def by_class(self) -> dict[Class, int]:
        """Bytes for each class, disjoint: a layer once, for the strongest class that has it. Unknown sizes add nothing.

        What the engine's layers hold beyond all listed images (such as images between build steps) counts as unknown.
        """
        images = [[key for kind, key in self.keys(cls) if kind == Kind.IMAGE] for cls in STRONGEST_FIRST]
        attributed = self._store.attribute(images)
        totals = dict(zip(STRONGEST_FIRST, attributed, strict=True))
        everything = set(self.verdicts)
        for key, verdict in self.verdicts.items():
            if key[0] != Kind.IMAGE:
                totals[verdict.cls] += self._size(key, everything, within_volumes=True) or 0
        rest = (self.inventory.layers_bytes or 0) - sum(attributed)
        totals[Class.UNKNOWN] += max(rest, 0)
        return totals

    def _removable(self, key: Key) -> bool:
        verdict = self.verdicts.get(key)
        return verdict is not None and verdict.cls in REMOVABLE

    def _held_records(self, going: Collection[Key]) -> set[Key]:
        """Which of these build cache records stay, because a record above them does: BuildKit removes from the top."""
        volumes = {name for kind, name in going if kind == Kind.VOLUME}
        within = {name for name, volume in self._volume_of_builder.items() if volume in volumes}
        leaving = {key for kind, key in going if kind == Kind.BUILD_CACHE}
        held: set[str] = set()
        for record in self.inventory.build_cache if leaving else ():
            below = None if record.key in leaving or record.builder in within else self._below.get(record.key)
            while below is not None and below not in held:
                held.add(below)
                below = self._below.get(below)
        return {(Kind.BUILD_CACHE, key) for key in leaving & held}

    def _why_not(self, key: Key) -> str:
        verdict = self.verdicts.get(key)
        return verdict.reason if verdict else "It is not on this host any more."

    def _size(self, key: Key, going: set[Key], *, within_volumes: bool = False) -> int | None:
        """Bytes of one resource that is no image. A builder's records lie in its state volume and go with it."""
        size = self._sizes.get(key)
        kind, name = key
        if within_volumes and kind == Kind.VOLUME and size is not None:
            return max(size - self._inside[name], 0)
        if not within_volumes and kind == Kind.BUILD_CACHE and "/" in name:
            volume = self._volume_of_builder.get(name.partition("/")[0], "")
            return 0 if (Kind.VOLUME, volume) in going else size
        return size

    def _record_bytes_by_volume(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for record in self.inventory.build_cache:
            if record.builder in self._volume_of_builder:
                found[self._volume_of_builder[record.builder]] += record.size_bytes or 0
        return found


def _own_sizes(inventory: Inventory) -> Iterable[tuple[Key, int | None]]:
    """What each resource that is no image holds for itself. A builder holds nothing but its parts."""
    for container in inventory.containers:
        yield (Kind.CONTAINER, container.id), container.size_rw_bytes
    for volume in inventory.volumes:
        yield (Kind.VOLUME, volume.name), volume.size_bytes
    for record in inventory.build_cache:
        yield (Kind.BUILD_CACHE, record.key), 0 if record.shared and not record.builder else record.size_bytes
    for builder in inventory.builders:
        yield (Kind.BUILDER, builder_key(builder)), 0


def _records_below(inventory: Inventory) -> dict[str, str]:
    """The key of the record that each record of build cache was made upon."""
    keys = {(record.builder, record.id): record.key for record in inventory.build_cache}
    below = {record.key: keys.get((record.builder, record.parent)) for record in inventory.build_cache}
    return {key: parent for key, parent in below.items() if parent is not None}


def _caveats(held_by_cache: int, unknown_images: int, unknown_sizes: int, *, exact: bool) -> tuple[str, ...]:
    found = []
    if held_by_cache:
        found.append("Build cache holds layers of these images: their bytes are freed only when that cache goes too.")
    if unknown_images:
        found.append(f"The layers of {unknown_images} of these images could not be read.")
    if unknown_sizes:
        found.append(f"The size of {unknown_sizes} of these is not known.")
    if not exact and not unknown_images:
        found.append("Some images do not tell how their bytes are spread over their layers: it may be more.")
    return tuple(found)
