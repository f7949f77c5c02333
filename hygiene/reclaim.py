"""What removing exactly this set frees, by layer arithmetic (X3). Pure.

An image's layer goes when the last image that has it goes, and no build cache record holds it. Docker's own figures
tell neither: RECLAIMABLE counts layers that a kept image, or the build cache, still holds.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hygiene.cache_holds import cache_holds
from hygiene.contracts import CacheRecord

# The DiffID of a layer with no entry at all: a tar archive of two zero blocks.
EMPTY_LAYER = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"


class Layers(NamedTuple):
    """An image's layers (DiffIDs, base first), and the sizes of its history entries, base first."""

    layers: tuple[str, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Freed:
    """At least and at most; the two differ where a history does not tell which layer holds the bytes."""

    at_least_bytes: int
    at_most_bytes: int
    held_by_cache_bytes: int
    unknown_images: int

    @property
    def exact(self) -> bool:
        return self.at_least_bytes == self.at_most_bytes and not self.unknown_images


class _Block(NamedTuple):
    """Layers (chain ids) whose sizes are known only together; mostly there is one layer in it."""

    chain_ids: tuple[str, ...]
    size_bytes: int


class LayerStore:
    """The layers of every image on an engine, and which build cache records hold them."""

    def __init__(self, images: Mapping[str, Layers | None], cache: Sequence[CacheRecord] = ()) -> None:
        """`images` by id, None where the layers could not be read; `cache` the engine's own BuildKit records."""
        read = {image: layers for image, layers in images.items() if layers is not None and _tells(layers)}
        chains = {image: chain_ids(layers.layers) for image, layers in read.items()}
        self._unknown = images.keys() - read.keys()
        self._blocks = _blocks(chains, read)
        self._holders: dict[str, set[str]] = defaultdict(set)
        for image, chain in chains.items():
            for chain_id in chain:
                self._holders[chain_id].add(image)
        histories = {image: layers.sizes for image, layers in read.items()}
        self._cache = cache_holds(chains, histories, self._sizes(), cache)

    def freed_by(self, images: Iterable[str], cache_keys: Iterable[str] = ()) -> Freed:
        """What removing these images (by id) and these build cache records (by key) frees in layers, together."""
        going, cache_going = set(images), set(cache_keys)
        blocks = self._blocks_of(going)
        gone = {c for block in blocks for c in block.chain_ids if self._holders[c] <= going}
        held = self._cache.held(gone, cache_going)
        freed = gone - held
        sure = freed - self._cache.doubtful(freed, cache_going)
        at_least = sum(block.size_bytes for block in _disjoint(b for b in blocks if sure.issuperset(b.chain_ids)))
        at_most = sum(block.size_bytes for block in blocks if not freed.isdisjoint(block.chain_ids))
        kept_by_cache = sum(block.size_bytes for block in blocks if not held.isdisjoint(block.chain_ids))
        # an image whose layers nobody knows may share any of these layers, so nothing is certain while it stays
        certain = 0 if self._unknown - going else at_least
        return Freed(certain, at_most, kept_by_cache, len(self._unknown & going))

    def attribute(self, groups: Sequence[Iterable[str]]) -> list[int]:
        """Bytes of layers for each group of images: a layer counts once, for the first group that has it."""
        seen: set[str] = set()
        totals = []
        for group in groups:
            blocks = [block for block in _disjoint(self._blocks_of(group)) if seen.isdisjoint(block.chain_ids)]
            totals.append(sum(block.size_bytes for block in blocks))
            seen.update(chain_id for block in blocks for chain_id in block.chain_ids)
        return totals

    def _blocks_of(self, images: Iterable[str]) -> set[_Block]:
        return {block for image in images for block in self._blocks.get(image, ())}

    def _sizes(self) -> dict[str, int]:
        """Sizes of the layers that are known each for itself, by chain id."""
        return {
            block.chain_ids[0]: block.size_bytes
            for blocks in self._blocks.values()
            for block in blocks
            if len(block.chain_ids) == 1
        }


def chain_ids(layers: Sequence[str]) -> tuple[str, ...]:
    """A layer's identity is its content upon what is below it (OCI image spec, "Layer ChainID")."""
    chain: list[str] = []
    for layer in layers:
        chain.append(f"sha256:{hashlib.sha256(f'{chain[-1]} {layer}'.encode()).hexdigest()}" if chain else layer)
    return tuple(chain)


def _tells(layers: Layers) -> bool:
    """False for a history that cannot be of these layers: some images have none, and none must not read as 0 bytes."""
    return sum(size > 0 for size in layers.sizes) <= len(layers.layers) <= len(layers.sizes)


def _disjoint(blocks: Iterable[_Block]) -> list[_Block]:
    """Blocks that share no layer, the largest first: what several blocks have in common is counted once."""
    seen: set[str] = set()
    chosen = []
    for block in sorted(blocks, key=lambda block: (-block.size_bytes, block.chain_ids)):
        if seen.isdisjoint(block.chain_ids):
            chosen.append(block)
            seen.update(block.chain_ids)
    return chosen


def _blocks(chains: Mapping[str, tuple[str, ...]], read: Mapping[str, Layers]) -> dict[str, tuple[_Block, ...]]:
    """Sizes for each image's layers. What one image leaves open another may settle: go round until nothing is won."""
    known = {
        chain_id: 0
        for image, chain in chains.items()
        for chain_id, layer in zip(chain, read[image].layers, strict=True)
        if layer == EMPTY_LAYER
    }
    open_images = set(chains)
    won = True
    while won and open_images:
        won = False
        for image in sorted(open_images):
            found = _align(chains[image], read[image].sizes, known)
            if found is not None:
                known |= found
                open_images.discard(image)
                won = True
    return {image: _image_blocks(chain, read[image].sizes, known) for image, chain in chains.items()}


def _align(chain: tuple[str, ...], sizes: tuple[int, ...], known: Mapping[str, int]) -> dict[str, int] | None:
    """Each layer's size, where the history allows one answer only.

    A history has an entry for each layer, and entries of size 0 for instructions that made none (the API does not tell
    them from layers that hold no file).
    """
    if len(sizes) == len(chain):
        return dict(zip(chain, sizes, strict=True))
    filled = [size for size in sizes if size > 0]
    holding = [chain_id for chain_id in chain if known.get(chain_id) != 0]
    if len(filled) == len(holding):
        return dict(zip(holding, filled, strict=True))
    unknown = [chain_id for chain_id in chain if chain_id not in known]
    if len(unknown) == 1:
        return {unknown[0]: max(sum(sizes) - sum(known[c] for c in chain if c in known), 0)}
    return {} if not unknown else None


def _image_blocks(chain: tuple[str, ...], sizes: tuple[int, ...], known: Mapping[str, int]) -> tuple[_Block, ...]:
    blocks = [_Block((chain_id,), known[chain_id]) for chain_id in chain if chain_id in known]
    together = tuple(chain_id for chain_id in chain if chain_id not in known)
    if together:
        blocks.append(_Block(together, max(sum(sizes) - sum(block.size_bytes for block in blocks), 0)))
    return tuple(blocks)
