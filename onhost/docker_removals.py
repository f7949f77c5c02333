"""The five removals of launchplane-docker, one item each: what was approved comes in, what became of it is told.

Every request to the engine is built here from what was checked. An item is looked at right before, by the same code as
in the control plane, and host.json has the last word: what it keeps is not touched, and nothing is done too often.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from onhost import hourly
from onhost.docker_call import Call, engine_problems, introduced
from onhost.engine.allowed import ANSWERS
from onhost.engine.answers import EngineIdentity
from onhost.engine.builders import running_builders
from onhost.engine.buildx import PREFIX, SUFFIX, container_name
from onhost.engine.moments import moment
from onhost.engine.questions import CONTAINERS, require_pinned
from onhost.engine.removal_uses import LOOK_SECONDS
from onhost.engine.removals import ExpectedContainer, ExpectedImage, ExpectedVolume, PruneBounds, Removal
from onhost.engine.removing import CONTAINER_ID, IMAGE_ID, MAX_ANSWER_BYTES, VOLUME_NAME, EngineRemover
from onhost.refusals import BadRequest, Failed, Refused

ALWAYS = frozenset({"engine_id"})
BOUNDS = frozenset({"min_age_seconds", "keep_bytes", "max_bytes"})
IMAGE_FIELDS = ALWAYS | {"id", "tags", "size_bytes", "digests"}
CONTAINER_FIELDS = ALWAYS | {"id", "name", "image_id", "seen_at"}
VOLUME_FIELDS = ALWAYS | {"name", "driver", "created_at"}
CACHE_FIELDS = ALWAYS | BOUNDS
BUILDER_FIELDS = ALWAYS | BOUNDS | {"container_id"}
# of an image (repository, tag, digest) or a plugin: no dot-dot and no empty part, since it becomes a part of a path
REFERENCE = re.compile(r"(?!.*(?:\.\.|//|/$))[A-Za-z0-9][A-Za-z0-9._:/@-]{0,400}")
CONTAINER_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")
MOST_NAMES = 500
LARGEST = 2**63 - 1


def remove_image(call: Call) -> None:
    """One image by its id, after those of its names that would bar that."""
    expected = ExpectedImage(
        _text(call, "id", IMAGE_ID), _names(call, "tags"), _number(call, "size_bytes"), _names(call, "digests")
    )
    _refuse_kept(call, "image", (expected.id, *expected.tags, *expected.digests))
    _carry_out(call, lambda remover: remover.remove_image(expected), f"remove image {expected.id}")


def remove_container(call: Call) -> None:
    """One stopped container, and none of its volumes."""
    seen_at = moment(call.more["seen_at"])
    if seen_at is None:
        raise BadRequest("fields", "seen_at has to be a time in RFC 3339")
    name = _text(call, "name", CONTAINER_NAME)
    expected = ExpectedContainer(_text(call, "id", CONTAINER_ID), name, _text(call, "image_id", IMAGE_ID), seen_at)
    _refuse_kept(call, "container", (expected.id, name))
    if name.startswith(PREFIX):
        _refuse_kept(call, "builder", (name,))
    _carry_out(call, lambda remover: remover.remove_container(expected), f"remove container {expected.id}")


def remove_volume(call: Call) -> None:
    """One volume that nobody refers to."""
    created_at = moment(call.more["created_at"])
    if created_at is None:
        raise BadRequest("fields", "created_at has to be a time in RFC 3339")
    expected = ExpectedVolume(_text(call, "name", VOLUME_NAME), _text(call, "driver", REFERENCE), created_at)
    _refuse_kept(call, "volume", (expected.name,))
    if expected.name.startswith(PREFIX) and expected.name.endswith(SUFFIX):
        _refuse_kept(call, "builder", (expected.name[: -len(SUFFIX)],))
    _carry_out(call, lambda remover: remover.remove_volume(expected), f"remove volume {expected.name}")


def prune_build_cache(call: Call) -> None:
    """The engine's own build cache, down to the bounds."""
    bounds = _bounds(call)
    _carry_out(call, lambda remover: remover.prune_build_cache(bounds), f"prune build cache to {_said(bounds)}")


def prune_builder(call: Call) -> None:
    """The build cache of one builder that runs, down to the bounds."""
    bounds, container_id = _bounds(call), _text(call, "container_id", CONTAINER_ID)
    _refuse_kept(call, "builder", (_builder_name(call, container_id),))
    _carry_out(
        call,
        lambda remover: remover.prune_builder(container_id, bounds),
        f"prune builder {container_id} to {_said(bounds)}",
    )


class _Enough(Exception):
    """A dry-run came as far as it goes."""


def _carry_out(call: Call, act: Callable[[EngineRemover], Removal], sentence: str) -> None:
    """Have `act` done by a remover that counts, and tell what became of it.

    Raises Refused `over_cap`, `removal_failed` (nothing was sent), Failed `removal_failed`, `removal_raced`,
    `removal_unknown`.
    """
    identity = _engine(call)

    def spend(removal: str) -> None:
        hourly.spend(removal, most=call.docker.hourly[removal], dry_run=call.dry_run)
        call.steps.append(sentence)
        if call.dry_run:
            raise _Enough

    remover = EngineRemover(
        lambda: call.connect(identity.api_version, MAX_ANSWER_BYTES),
        api_version=identity.api_version,
        engine_id=identity.engine_id,
        spend=spend,
    )
    try:
        with engine_problems():
            _tell(call, act(remover))
    except _Enough:
        return


def _tell(call: Call, removal: Removal) -> None:
    call.facts["removal"] = {**vars(removal), "deleted": list(removal.deleted)}
    if removal.outcome in ("gone", "skipped"):
        call.steps.clear()  # the engine was asked at most, and did nothing
    elif removal.outcome == "unknown":
        raise Failed("removal_unknown", removal.detail)
    elif removal.outcome == "raced":
        raise Failed("removal_raced", removal.detail)
    elif removal.outcome == "failed":
        raise Refused("removal_failed", removal.detail)


def _engine(call: Call) -> EngineIdentity:
    """The engine that the plan was made for. Raises Refused `engine_replaced`, or why none answers."""
    wanted = call.more["engine_id"]
    if not isinstance(wanted, str):
        raise BadRequest("fields", "engine_id has to be the engine's id")
    identity = introduced(call)
    with engine_problems():
        require_pinned(identity, wanted)
    return identity


def _builder_name(call: Call, container_id: str) -> str:
    """The name of a container that is a builder and runs. Raises Refused `no_builder`: nothing else is entered."""
    identity = _engine(call)
    with engine_problems(), call.connect(identity.api_version, MAX_ANSWER_BYTES) as connection:
        listed = ANSWERS[CONTAINERS](
            connection.get("/containers/json", seconds=LOOK_SECONDS, params={"all": 1}), CONTAINERS
        )
    found = [container for container in listed or [] if container.get("Id") == container_id]
    if running_builders(found) != [container_id]:
        raise Refused("no_builder", "no builder of that id runs here")
    return container_name(found[0].get("Names"))


def _refuse_kept(call: Call, kind: str, called: Iterable[str]) -> None:
    pattern = call.docker.keeps(kind, called)
    if pattern is not None:
        raise Refused("protected", f"host.json keeps each {kind} that is called {pattern}")


def _bounds(call: Call) -> PruneBounds:
    most = None if call.more["max_bytes"] is None else _number(call, "max_bytes")
    return PruneBounds(_number(call, "min_age_seconds"), _number(call, "keep_bytes"), most)


def _said(bounds: PruneBounds) -> str:
    return f"at least {bounds.keep_bytes} bytes and what was used within {bounds.min_age_seconds} seconds"


def _text(call: Call, field: str, shape: re.Pattern[str]) -> str:
    told = call.more[field]
    if not (isinstance(told, str) and shape.fullmatch(told)):
        raise BadRequest("fields", f"{field} is not of its kind")
    return told


def _names(call: Call, field: str) -> tuple[str, ...]:
    told = call.more[field]
    if not (isinstance(told, list) and len(told) <= MOST_NAMES):
        raise BadRequest("fields", f"{field} has to be a list of at most {MOST_NAMES} names")
    if not all(isinstance(name, str) and REFERENCE.fullmatch(name) for name in told):
        raise BadRequest("fields", f"{field} has something that is no name of an image")
    return tuple(told)


def _number(call: Call, field: str) -> int:
    told = call.more[field]
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told <= LARGEST:
        raise BadRequest("fields", f"{field} has to be a whole number")
    return told
