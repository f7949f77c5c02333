"""Which layers of images the engine's own build cache holds. Pure.

The API names no layer of a cache record. But a shared record is a layer, and its parent what is below it. So the sizes
from the lowest parent up to a record are those of a layer and of what it lies upon, layers of size 0 left out: they
weigh nothing, and histories do not tell them from instructions that made no layer. Measured on 20.10: an image that
BuildKit built frees nothing while its records stay.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hygiene.contracts import CacheRecord

Path = tuple[int, ...]  # sizes from the bottom up, without zeros


@dataclass(frozen=True, slots=True)
class CacheHolds:
    """The records that hold a layer (by chain id): surely, or perhaps; `unplaced` may hold any layer."""

    surely: Mapping[str, set[str]]
    perhaps: Mapping[str, set[str]]
    unplaced: frozenset[str]

    def held(self, layers: Iterable[str], going: set[str]) -> set[str]:
        """Those of `layers` that stay for sure when only the records `going` go."""
        return {layer for layer in layers if not self.surely.get(layer, set()) <= going}

    def doubtful(self, layers: Iterable[str], going: set[str]) -> set[str]:
        """Those of `layers` that may stay then."""
        if self.unplaced - going:
            return set(layers)
        return {layer for layer in layers if not self.perhaps.get(layer, set()) <= going}


def cache_holds(
    chains: Mapping[str, tuple[str, ...]],
    histories: Mapping[str, tuple[int, ...]],
    sizes: Mapping[str, int],
    cache: Sequence[CacheRecord],
) -> CacheHolds:
    """`chains` and `histories` by image, base first; `sizes` of the layers that are known each for itself."""
    records, unplaced = _by_path(cache)
    surely: dict[str, set[str]] = defaultdict(set)
    perhaps: dict[str, set[str]] = defaultdict(set)
    if records:
        closed, blurred = _layers_by_path(chains, histories, sizes)
        for path, holders in records.items():
            alone = len(closed[path]) == 1 and path not in blurred
            for layer in closed[path] | blurred.get(path, set()):
                (surely if alone else perhaps)[layer] |= holders
    return CacheHolds(surely, perhaps, frozenset(unplaced))


def _layers_by_path(
    chains: Mapping[str, tuple[str, ...]], histories: Mapping[str, tuple[int, ...]], sizes: Mapping[str, int]
) -> tuple[defaultdict[Path, set[str]], dict[Path, set[str]]]:
    """The layers that end a path; and, where an image does not tell which of its layers does, all that may."""
    closed: defaultdict[Path, set[str]] = defaultdict(set)
    blurred: dict[Path, set[str]] = {}
    for image, chain in chains.items():
        path: Path = ()
        for position, layer in enumerate(chain):
            if layer not in sizes:
                for longer in _longer(path, histories[image]):
                    blurred.setdefault(longer, set()).update(chain[position:])
                break
            if sizes[layer]:
                path = (*path, sizes[layer])
                closed[path].add(layer)
    return closed, blurred


def _longer(path: Path, history: tuple[int, ...]) -> Iterator[Path]:
    filled = tuple(size for size in history if size)
    return (filled[:end] for end in range(len(path) + 1, len(filled) + 1))


def _by_path(cache: Sequence[CacheRecord]) -> tuple[dict[Path, set[str]], set[str]]:
    """The shared records by the paths that they hold, their own and all below it; and those whose path is not known."""
    records = {record.id: record for record in cache if not record.builder}
    paths: dict[str, Path | None] = {}
    found: dict[Path, set[str]] = {}
    unplaced: set[str] = set()
    for record in records.values():
        if not record.shared:
            continue
        path = _path(record, records, paths)
        if path is None:
            unplaced.add(record.key)
        else:
            for end in range(1, len(path) + 1):
                found.setdefault(path[:end], set()).add(record.key)
    return found, unplaced


def _path(record: CacheRecord, records: Mapping[str, CacheRecord], done: dict[str, Path | None]) -> Path | None:
    """Sizes from the lowest parent to the record; None where one is unknown or the parents go round in a circle."""
    trail: list[CacheRecord] = []
    current: CacheRecord | None = record
    while current is not None and current.id not in done:
        done[current.id] = None
        trail.append(current)
        current = records.get(current.parent)
    path = done[current.id] if current is not None else () if not trail[-1].parent else None
    for step in reversed(trail):
        path = (
            None if path is None or step.size_bytes is None else (*path, step.size_bytes) if step.size_bytes else path
        )
        done[step.id] = path
    return path
