"""A brute-force model of layers: what removing images and build cache really frees, with nothing clever in it."""

from dataclasses import dataclass

from hypothesis import strategies as st

from hygiene.contracts import CacheRecord
from hygiene.reclaim import EMPTY_LAYER, Layers, chain_ids

CONTENTS = {"a": 1, "b": 2, "c": 4, "d": 8, "empty": 0, "mkdir": 0, EMPTY_LAYER: 0}


@dataclass(frozen=True)
class Forest:
    """Images as paths of layers from a root, each layer with its true size; cache records that hold some layers."""

    images: dict[str, tuple[str, ...]]
    sizes: dict[str, int]
    histories: dict[str, tuple[int, ...]]
    held: dict[str, str]
    parents: dict[str, str]

    def layers(self) -> dict[str, Layers]:
        return {image: Layers(path, self.histories[image]) for image, path in self.images.items()}

    def records(self) -> list[CacheRecord]:
        """One shared record for each layer that the cache holds."""
        return [
            a_record(record, self.sizes[chain], self.parents.get(record, "")) for record, chain in self.held.items()
        ]

    def freed(self, images: set[str], records: set[str]) -> int:
        """Layers that no image and no record holds any more; a record holds all that is below it as well."""
        staying = {c for image, path in self.images.items() if image not in images for c in chain_ids(path)}
        for record in self.held.keys() - records:
            step: str | None = record
            while step is not None:
                staying.add(self.held[step])
                step = self.parents.get(step)
        gone = {c for image in images for c in chain_ids(self.images[image])} - staying
        return sum(self.sizes[chain] for chain in gone)

    def total(self) -> int:
        return sum(self.sizes[c] for c in {c for path in self.images.values() for c in chain_ids(path)})


def a_record(record: str, size_bytes: int | None, parent: str = "", *, shared: bool = True) -> CacheRecord:
    return CacheRecord(
        builder="",
        id=record,
        parent=parent,
        type="regular",
        size_bytes=size_bytes,
        in_use=False,
        shared=shared,
        created_at=None,
        last_used_at=None,
        usage_count=None,
    )


@st.composite
def forests(draw: st.DrawFn, *, with_cache: bool = False, plain: bool = False) -> Forest:
    """Up to five images over few layers, so that they share a lot. `plain`: each history tells each layer's size."""
    images: dict[str, tuple[str, ...]] = {}
    for number in range(draw(st.integers(1, 5))):
        base = draw(st.sampled_from([(), *images.values()]))
        keep = base[: draw(st.integers(0, len(base)))]
        own = draw(st.lists(st.sampled_from(list(CONTENTS)), min_size=0 if keep else 1, max_size=3))
        images[f"image{number}"] = (*keep, *own)
    sizes = {c: CONTENTS[layer] for path in images.values() for c, layer in zip(chain_ids(path), path, strict=True)}
    histories = {
        image: draw(history_of(tuple(sizes[chain] for chain in chain_ids(path)), plain=plain))
        for image, path in images.items()
    }
    held, parents = draw(cache_over(images)) if with_cache else ({}, {})
    return Forest(images, sizes, histories, held, parents)


def history_of(sizes: tuple[int, ...], *, plain: bool) -> st.SearchStrategy[tuple[int, ...]]:
    """The sizes, with zeros between them for the instructions that made no layer."""
    if plain:
        return st.just(sizes)
    zeros = st.lists(st.integers(0, 1), min_size=len(sizes) + 1, max_size=len(sizes) + 1)
    return zeros.map(
        lambda before: tuple(
            entry
            for count, size in zip(before, (*sizes, None), strict=True)
            for entry in (*[0] * count, *([] if size is None else [size]))
        )
    )


@st.composite
def cache_over(draw: st.DrawFn, images: dict[str, tuple[str, ...]]) -> tuple[dict[str, str], dict[str, str]]:
    """Shared records over the lower layers of some images: which layer each holds, and what it was made upon."""
    held: dict[str, str] = {}
    parents: dict[str, str] = {}
    for path in images.values():
        chain = chain_ids(path)
        below = ""
        for layer in chain[: draw(st.integers(0, len(chain)))]:
            record = f"record-{layer[-12:]}"
            held[record] = layer
            if below:
                parents[record] = below
            below = record
    return held, parents
