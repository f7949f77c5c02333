"""The five removals: look, compare, act once, and say what the engine answered.

An answer that does not come is never repeated: what became of the item is looked at, and unknown if that fails too.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from onhost.engine.builder_prune import prune_arguments, prune_result
from onhost.engine.builders import run_in_builder
from onhost.engine.calls import Connection, decoded
from onhost.engine.errors import CallFailed, EngineReplaced, EngineUnavailable, HostProblem
from onhost.engine.removal_checks import (
    container_differs,
    image_differs,
    image_removal,
    prune_parameters,
    pruned,
    removal_order,
    volume_differs,
)
from onhost.engine.removal_uses import LOOK_SECONDS, image_is_used, volume_is_used
from onhost.engine.removals import (
    PRUNE_BUILD_CACHE,
    PRUNE_BUILDER,
    REMOVE_CONTAINER,
    REMOVE_IMAGE,
    REMOVE_VOLUME,
    ExpectedContainer,
    ExpectedImage,
    ExpectedVolume,
    PruneBounds,
    Removal,
)

REMOVE_SECONDS: Final = 120.0
PRUNE_SECONDS: Final = 1200.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
PRUNE_HELP: Final = ("buildctl", "prune", "--help")
IMAGE_ID: Final = re.compile(r"sha256:[0-9a-f]{64}")
CONTAINER_ID: Final = re.compile(r"[0-9a-f]{64}")
VOLUME_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")


class EngineRemover:
    """Implements `Remover`, whoever connects. An engine is asked for its id before anything is sent to it.

    `spend` is called with the removal's name right before the one request that changes something; what it raises
    keeps that from being sent.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        api_version: str,
        engine_id: str,
        spend: Callable[[str], None],
        remove_seconds: float = REMOVE_SECONDS,
        prune_seconds: float = PRUNE_SECONDS,
    ) -> None:
        self._connect, self._api_version, self._engine_id, self._spent = connect, api_version, engine_id, spend
        self._remove_seconds, self._prune_seconds = remove_seconds, prune_seconds
        self._held: Connection | None = None
        self._verified_socket = 0
        self._sent = False

    def remove_image(self, expected: ExpectedImage) -> Removal:
        """Remove one image by its id, after those of its names that would bar that."""
        path = _checked(expected.id, IMAGE_ID)
        refs = removal_order(expected)

        def act(connection: Connection) -> Removal:
            found = connection.get(f"/images/{path}/json", seconds=LOOK_SECONDS)
            used = partial(image_is_used, connection, expected, one_by_one=len(refs) > 1)
            if why := image_differs(found, expected) or used():
                return Removal("skipped", why)
            self._spend(REMOVE_IMAGE)
            return image_removal(_delete_image(connection, refs, expected.id, self._remove_seconds), expected)

        return self._settled(act, lambda connection: connection.get(f"/images/{path}/json", seconds=LOOK_SECONDS))

    def remove_container(self, expected: ExpectedContainer) -> Removal:
        """Remove one stopped container, and none of its volumes."""
        path = f"/containers/{_checked(expected.id, CONTAINER_ID)}"

        def act(connection: Connection) -> Removal:
            if why := container_differs(connection.get(f"{path}/json", seconds=LOOK_SECONDS), expected):
                return Removal("skipped", why)
            self._spend(REMOVE_CONTAINER)
            connection.delete(path, seconds=self._remove_seconds, params={"force": "false", "v": "false"})
            return Removal("done", "The engine removed the container.", deleted=(expected.id,))

        return self._settled(act, lambda connection: connection.get(f"{path}/json", seconds=LOOK_SECONDS))

    def remove_volume(self, expected: ExpectedVolume) -> Removal:
        """Remove one volume that no container and no service refers to."""
        path = f"/volumes/{_checked(expected.name, VOLUME_NAME)}"

        def act(connection: Connection) -> Removal:
            found = connection.get(path, seconds=LOOK_SECONDS)
            used = partial(volume_is_used, connection, expected.name, found.get("Mountpoint") or "")
            if why := volume_differs(found, expected) or used():
                return Removal("skipped", why)
            self._spend(REMOVE_VOLUME)
            connection.delete(path, seconds=self._remove_seconds, params={"force": "false"})
            return Removal("done", "The engine removed the volume.", deleted=(expected.name,))

        return self._settled(act, lambda connection: connection.get(path, seconds=LOOK_SECONDS))

    def prune_build_cache(self, bounds: PruneBounds) -> Removal:
        """Prune the engine's own BuildKit down to `bounds`, in the words that its API version knows."""
        params = prune_parameters(bounds, self._api_version)

        def act(connection: Connection) -> Removal:
            self._spend(PRUNE_BUILD_CACHE)
            answer = connection.post("/build/prune", {}, seconds=self._prune_seconds, params=params)
            return pruned(decoded(answer))

        return self._settled(act, None)

    def prune_builder(self, container_id: str, bounds: PruneBounds) -> Removal:
        """Prune the BuildKit inside one builder's container down to `bounds`, in words that its `buildctl` knows."""
        _checked(container_id, CONTAINER_ID)

        def act(connection: Connection) -> Removal:
            told, _stderr = run_in_builder(connection, container_id, PRUNE_HELP, seconds=LOOK_SECONDS)
            argv = prune_arguments(bounds, told.decode("utf-8", "replace"))
            self._spend(PRUNE_BUILDER)
            printed, _stderr = run_in_builder(connection, container_id, argv, seconds=self._prune_seconds)
            freed, records = prune_result(printed)
            return Removal("done", f"BuildKit pruned {len(records)} records.", freed, records)

        return self._settled(act, None)

    def _spend(self, call: str) -> None:
        """Right before the one request that changes something: from here on the item may have been touched."""
        self._spent(call)
        self._sent = True

    def _settled(self, act: Callable[[Connection], Removal], look: Callable[[Connection], Any] | None) -> Removal:
        """The outcome of `act`; where no answer came, what `look` finds, or unknown if there is nothing to look at."""
        self._sent = False
        try:
            return act(self._verified())
        except (CallFailed, EngineUnavailable) as error:
            self._let_go()
            return self._after(error, look) if self._sent else _before(error, is_a_thing=look is not None)

    def _after(self, error: CallFailed | EngineUnavailable, look: Callable[[Connection], Any] | None) -> Removal:
        """What became of an item whose removal was asked for, and was not answered with success."""
        if isinstance(error, EngineUnavailable):
            return Removal("unknown", error.sentence)
        if error.status == 404 and look is not None:
            return Removal("gone", "It was gone already.")
        if error.status == 409 and look is not None:
            return Removal("skipped", error.sentence)
        if error.status is not None and error.status < 500:
            return Removal("failed", error.sentence)
        if look is None:
            return Removal("unknown", error.sentence)
        return self._looked(error, look)

    def _looked(self, error: CallFailed, look: Callable[[Connection], Any]) -> Removal:
        try:
            with self._connect() as connection:
                self._require_engine(connection)
                look(connection)
        except CallFailed as second:
            if second.status == 404:
                return Removal("done", f"No answer came ({error.sentence}), but a look shows that it is gone.")
            return Removal("unknown", f"{error.sentence} Looking again failed too: {second.sentence}")
        except (EngineUnavailable, EngineReplaced) as second:
            return Removal("unknown", f"{error.sentence} Looking again failed too: {second.sentence}")
        return Removal("failed", f"{error.sentence} It is still there.")

    def _verified(self) -> Connection:
        """A connection whose other end is the pinned engine: asked again as soon as there was another socket."""
        if self._held is None:
            self._held = self._connect()
            self._verified_socket = 0
            weakref.finalize(self, self._held.close)
        if self._verified_socket != self._held.sockets or not self._held.sockets:
            self._require_engine(self._held)
            self._verified_socket = self._held.sockets
        return self._held

    def _require_engine(self, connection: Connection) -> None:
        info = connection.get("/info", seconds=LOOK_SECONDS)
        if not isinstance(info, Mapping) or info.get("ID") != self._engine_id:
            raise EngineReplaced("engine_replaced", "Another engine answers than the one the plan was made for.")

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
        self._held = None


def _checked(value: str, shape: re.Pattern[str]) -> str:
    """`value` for a URL path. Raises HostProblem: nothing that could mean another path is ever sent."""
    if not shape.fullmatch(value):
        raise HostProblem("unsafe_name", f"{value[:80]!r} is no name that the engine can be asked to remove.")
    return quote(value, safe=":")


def _before(error: CallFailed | EngineUnavailable, *, is_a_thing: bool) -> Removal:
    """The outcome of an item that could not even be looked at: nothing was sent that changes anything."""
    if is_a_thing and isinstance(error, CallFailed) and error.status == 404:
        return Removal("gone", "It was gone already.")
    return Removal("failed", f"{error.sentence} Nothing was done to it.")


def _delete_image(
    connection: Connection, refs: tuple[str, ...], image_id: str, seconds: float
) -> list[Mapping[str, str]]:
    """What the engine said for each reference, in order. `noprune`: no parent goes along that nobody approved.

    Raises CallFailed; once one is gone that is no refusal of the whole any more.
    """
    params = {"force": "false", "noprune": "true"}
    entries: list[Mapping[str, str]] = []
    for number, ref in enumerate(refs):
        try:
            path = f"/images/{quote(ref, safe=':/@')}"
            if ref != image_id:
                _require_name(connection, path, image_id)
            answer = decoded(connection.delete(path, seconds=seconds, params=params))
        except CallFailed as error:
            if number == 0:
                raise
            sentence = f"{number} of its names are gone, then: {error.sentence}"
            raise CallFailed(error.code, sentence) from error
        entries += [entry for entry in answer if isinstance(entry, Mapping)]
    return entries


def _require_name(connection: Connection, path: str, image_id: str) -> None:
    """Raises CallFailed if the name has become that of another image, which would go in the place of ours."""
    try:
        found = connection.get(f"{path}/json", seconds=LOOK_SECONDS).get("Id")
    except CallFailed as error:
        if error.status != 404:
            raise
        found = None
    if found != image_id:
        raise CallFailed("name_moved", "One of its names was taken from it in the same moment.", status=409)
