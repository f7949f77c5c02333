"""The five removals on a host over ssh, through launchplane-docker there, each spent from what the change declared.

The host looks once more right before, by the code that a local removal uses. An answer that does not come, or that
can't be believed, is no outcome: what became of the item is unknown then, and somebody looks.
"""

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from launchplane.hosts.answers import Json, ProgramAnswer
from launchplane.hosts.errors import AnswerLost, HostUnavailable
from launchplane.hosts.programs import Programs
from launchplane.hosts.remote_engine import DOCKER
from launchplane.words import clean_message
from onhost.engine.reduce import storable
from onhost.engine.removals import (
    PRUNE_BUILD_CACHE,
    PRUNE_BUILDER,
    REMOVE_CONTAINER,
    REMOVE_IMAGE,
    REMOVE_VOLUME,
    ExpectedContainer,
    ExpectedImage,
    ExpectedVolume,
    Outcome,
    PruneBounds,
    Removal,
)
from onhost.engine.removing import PRUNE_SECONDS, REMOVE_SECONDS

# what the host needs for looking, and what the way takes, beside the removal itself
MORE_SECONDS: Final = 120.0
MOST_DELETED: Final = 10_000
LARGEST: Final = 2**53 - 1
# how many names and bytes an image's history may be named by; what is deleted is told by ids
ANSWER_BYTES: Final = 4 * 1024 * 1024
# statuses of docs/reference/on-the-host.md with which nothing was changed
UNCHANGED: Final = frozenset({2, 3, 4, 6})
# what an administrator decided for this host: nothing is wrong with the item or the engine
DECIDED_THERE: Final = frozenset({"protected", "over_cap", "no_builder", "busy"})


class RemoteRemover:
    """Implements `Remover` for a host that has our programs, and one engine there."""

    def __init__(self, programs: Programs, *, engine_id: str) -> None:
        self._programs, self._engine_id = programs, engine_id

    def remove_image(self, expected: ExpectedImage) -> Removal:
        """Remove one image by its id, after those of its names that would bar that."""
        names: dict[str, Json] = {"tags": list(expected.tags), "digests": list(expected.digests)}
        return self._remove(REMOVE_IMAGE, {"id": expected.id, "size_bytes": expected.size_bytes, **names})

    def remove_container(self, expected: ExpectedContainer) -> Removal:
        """Remove one stopped container, and none of its volumes."""
        seen_at = expected.seen_at.isoformat()
        named = {"id": expected.id, "name": expected.name, "image_id": expected.image_id, "seen_at": seen_at}
        return self._remove(REMOVE_CONTAINER, named)

    def remove_volume(self, expected: ExpectedVolume) -> Removal:
        """Remove one volume that no container and no service refers to."""
        created_at = expected.created_at.isoformat()
        named = {"name": expected.name, "driver": expected.driver, "created_at": created_at}
        return self._remove(REMOVE_VOLUME, named)

    def prune_build_cache(self, bounds: PruneBounds) -> Removal:
        """Prune the engine's own build cache, down to the bounds."""
        return self._remove(PRUNE_BUILD_CACHE, _bounds(bounds), PRUNE_SECONDS)

    def prune_builder(self, container_id: str, bounds: PruneBounds) -> Removal:
        """Prune the cache of one builder that runs, down to the bounds."""
        return self._remove(PRUNE_BUILDER, {"container_id": container_id, **_bounds(bounds)}, PRUNE_SECONDS)

    def _remove(self, call: str, item: Mapping[str, Json], seconds: float = REMOVE_SECONDS) -> Removal:
        """Raises Refused by the boundary; everything else is an outcome."""
        request: dict[str, Json] = {"verb": call, "engine_id": self._engine_id, **item}
        try:
            answer = self._programs.ask(
                DOCKER, request, timeout_seconds=seconds + MORE_SECONDS, call=call, max_answer_bytes=ANSWER_BYTES
            )
        except HostUnavailable as problem:
            return Removal("failed", f"{problem.sentence} Nothing was begun.")
        except AnswerLost as problem:
            return Removal("unknown", problem.sentence)
        return outcome_of(answer)


def outcome_of(answer: ProgramAnswer) -> Removal:
    """What became of an item by what the host answers; unknown wherever that does not fit together."""
    told = answer.facts.get("removal")
    if told is not None:
        return _told(told, answer)
    if answer.ok:
        return Removal("unknown", "The host says that it is done, and not what became of the item.")
    if answer.status not in UNCHANGED:
        return Removal("unknown", f"The host says: {answer.summary}")
    return Removal("skipped" if answer.code in DECIDED_THERE else "failed", f"The host says: {answer.summary}")


def _told(told: object, answer: ProgramAnswer) -> Removal:
    if not (isinstance(told, Mapping) and set(told) == {"outcome", "detail", "freed_bytes", "deleted"}):
        return Removal("unknown", "What the host says of the item can't be read.")
    outcome, detail, freed, deleted = (told[name] for name in ("outcome", "detail", "freed_bytes", "deleted"))
    good = outcome in get_args(Outcome) and isinstance(detail, str) and _is_size(freed) and _is_ids(deleted)
    if not good or (outcome in ("done", "gone", "skipped")) != answer.ok:
        return Removal("unknown", "What the host says of the item contradicts itself.")
    ids = tuple(storable(str(one)) for one in cast(tuple[str, ...], deleted))
    return Removal(cast(Outcome, outcome), clean_message(str(detail)), cast(int | None, freed), ids)


def _is_size(freed: object) -> bool:
    return freed is None or (isinstance(freed, int) and not isinstance(freed, bool) and 0 <= freed <= LARGEST)


def _is_ids(deleted: object) -> bool:
    good = isinstance(deleted, tuple | list) and len(deleted) <= MOST_DELETED
    return good and all(isinstance(one, str) for one in cast(tuple[Any, ...], deleted))


def _bounds(bounds: PruneBounds) -> dict[str, Json]:
    return {
        "min_age_seconds": bounds.min_age_seconds,
        "keep_bytes": bounds.keep_bytes,
        "max_bytes": bounds.max_bytes,
    }
