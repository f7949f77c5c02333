"""The only five things that can be taken away from a host, each with what must be found there just before.

There is no `system prune`, no `image prune -a`, no `volume prune`, no removal by force and no removal of a builder: not
forbidden, but absent (H30, P9, P10).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Outcome = Literal["done", "gone", "skipped", "raced", "failed", "unknown"]

REMOVE_IMAGE = "remove_image"
REMOVE_CONTAINER = "remove_container"
REMOVE_VOLUME = "remove_volume"
PRUNE_BUILD_CACHE = "prune_build_cache"
PRUNE_BUILDER = "prune_builder"


@dataclass(frozen=True)
class ExpectedImage:
    """An image as it was approved: its id, all its tags (none: dangling), its size, and the digests it had."""

    id: str
    tags: tuple[str, ...]
    size_bytes: int
    digests: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExpectedContainer:
    """A stopped container as it was approved; it did not run after `seen_at`."""

    id: str
    name: str
    image_id: str
    seen_at: datetime


@dataclass(frozen=True)
class ExpectedVolume:
    """A volume as it was approved; one of the same name made anew has another `created_at`."""

    name: str
    driver: str
    created_at: datetime


@dataclass(frozen=True)
class PruneBounds:
    """What a prune of build cache leaves: records used within `min_age_seconds`, and at least `keep_bytes` in all.

    `max_bytes` None: age alone decides how much goes.
    """

    min_age_seconds: int
    keep_bytes: int
    max_bytes: int | None


@dataclass(frozen=True)
class Removal:
    """What became of one item. `deleted` are the ids that the engine says it deleted (an image and its layers)."""

    outcome: Outcome
    detail: str
    freed_bytes: int | None = None
    deleted: tuple[str, ...] = ()


class Remover(Protocol):
    """The five removals. What the engine answers is an outcome, no error. Each spends its call first (`boundary`)."""

    def remove_image(self, expected: ExpectedImage) -> Removal: ...

    def remove_container(self, expected: ExpectedContainer) -> Removal: ...

    def remove_volume(self, expected: ExpectedVolume) -> Removal: ...

    def prune_build_cache(self, bounds: PruneBounds) -> Removal: ...

    def prune_builder(self, container_id: str, bounds: PruneBounds) -> Removal: ...
