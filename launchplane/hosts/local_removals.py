"""The five removals on an engine of this machine: look, compare, act once, and say what the engine answered.

An answer that does not come is never repeated: what became of the item is looked at, and unknown if that fails too.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from launchplane.hosts.boundary import spend
from launchplane.hosts.builder_prune import prune_arguments, prune_result
from launchplane.hosts.builders import run_in_builder
from launchplane.hosts.calls import Connection, decoded
from launchplane.hosts.engine import is_at_least
from launchplane.hosts.errors import CallFailed, EngineUnavailable, HostProblem
from launchplane.hosts.removals import (
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

LOOK_SECONDS: Final = 15.0
REMOVE_SECONDS: Final = 120.0
PRUNE_SECONDS: Final = 1800.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
PRUNE_HELP: Final = ("buildctl", "prune", "--help")
STOPPED: Final = ("exited", "created", "dead")
IMAGE_ID: Final = re.compile(r"sha256:[0-9a-f]{64}")
CONTAINER_ID: Final = re.compile(r"[0-9a-f]{64}")
VOLUME_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}")


class LocalRemover:
    """Implements `Remover` for a `unix://` address; `engine_id` is asked for before each removal."""

    def __init__(
        self, docker_url: str, *, api_version: str, engine_id: str, prune_seconds: float = PRUNE_SECONDS
    ) -> None:
        self._url, self._api_version, self._engine_id = docker_url, api_version, engine_id
        self._prune_seconds = prune_seconds

    def remove_image(self, expected: ExpectedImage) -> Removal:
        """Remove one image by its id if it is dangling, else by each of its tags, the last of which deletes it."""
        path = _checked(expected.id, IMAGE_ID)

        def act(connection: Connection) -> Removal:
            found = connection.get(f"/images/{path}/json", seconds=LOOK_SECONDS)
            if why := _image_differs(found, expected) or _image_is_used(connection, expected.id):
                return Removal("skipped", why)
            spend(REMOVE_IMAGE)
            removed = [_delete_image(connection, ref) for ref in (expected.tags or (expected.id,))]
            return _image_removal([entry for answer in removed for entry in answer], expected)

        return self._settled(act, lambda connection: connection.get(f"/images/{path}/json", seconds=LOOK_SECONDS))

    def remove_container(self, expected: ExpectedContainer) -> Removal:
        """Remove one stopped container, and none of its volumes."""
        path = f"/containers/{_checked(expected.id, CONTAINER_ID)}"

        def act(connection: Connection) -> Removal:
            if why := _container_differs(connection.get(f"{path}/json", seconds=LOOK_SECONDS), expected):
                return Removal("skipped", why)
            spend(REMOVE_CONTAINER)
            connection.delete(path, seconds=REMOVE_SECONDS, params={"force": "false", "v": "false"})
            return Removal("done", "The engine removed the container.", deleted=(expected.id,))

        return self._settled(act, lambda connection: connection.get(f"{path}/json", seconds=LOOK_SECONDS))

    def remove_volume(self, expected: ExpectedVolume) -> Removal:
        """Remove one volume that no container and no service refers to."""
        path = f"/volumes/{_checked(expected.name, VOLUME_NAME)}"

        def act(connection: Connection) -> Removal:
            found = connection.get(path, seconds=LOOK_SECONDS)
            if why := _volume_differs(found, expected) or _volume_is_used(connection, expected.name):
                return Removal("skipped", why)
            spend(REMOVE_VOLUME)
            connection.delete(path, seconds=REMOVE_SECONDS, params={"force": "false"})
            return Removal("done", "The engine removed the volume.", deleted=(expected.name,))

        return self._settled(act, lambda connection: connection.get(path, seconds=LOOK_SECONDS))

    def prune_build_cache(self, bounds: PruneBounds) -> Removal:
        """Prune the engine's own BuildKit down to `bounds`, in the words that its API version knows."""
        params = prune_parameters(bounds, self._api_version)

        def act(connection: Connection) -> Removal:
            spend(PRUNE_BUILD_CACHE)
            answer = connection.post("/build/prune", {}, seconds=self._prune_seconds, params=params)
            return _pruned(decoded(answer))

        return self._settled(act, None)

    def prune_builder(self, container_id: str, bounds: PruneBounds) -> Removal:
        """Prune the BuildKit inside one builder's container down to `bounds`, in words that its `buildctl` knows."""
        _checked(container_id, CONTAINER_ID)

        def act(connection: Connection) -> Removal:
            told, _stderr = run_in_builder(
                connection, container_id, ("buildctl", "prune", "--help"), seconds=LOOK_SECONDS
            )
            argv = prune_arguments(bounds, told.decode("utf-8", "replace"))
            spend(PRUNE_BUILDER)
            printed, _stderr = run_in_builder(connection, container_id, argv, seconds=self._prune_seconds)
            freed, records = prune_result(printed)
            return Removal("done", f"BuildKit pruned {len(records)} records.", freed, records)

        return self._settled(act, None)

    def _settled(self, act: Callable[[Connection], Removal], look: Callable[[Connection], Any] | None) -> Removal:
        """The outcome of `act`; where no answer came, what `look` finds, or unknown if there is nothing to look at."""
        try:
            with self._connection() as connection:
                self._require_engine(connection)
                return act(connection)
        except CallFailed as error:
            return self._after(error, look)
        except EngineUnavailable as error:
            return Removal("unknown", error.sentence)

    def _after(self, error: CallFailed, look: Callable[[Connection], Any] | None) -> Removal:
        if error.status == 404:
            return Removal("gone", "It was gone already.")
        if error.status == 409:
            return Removal("skipped", error.sentence)
        if error.status is not None and error.status < 500:
            return Removal("failed", error.sentence)
        if look is None:
            return Removal("unknown", error.sentence)
        return self._looked(error, look)

    def _looked(self, error: CallFailed, look: Callable[[Connection], Any]) -> Removal:
        try:
            with self._connection() as connection:
                look(connection)
        except CallFailed as second:
            if second.status == 404:
                return Removal("done", f"No answer came ({error.sentence}), but a look shows that it is gone.")
            return Removal("unknown", f"{error.sentence} Looking again failed too: {second.sentence}")
        except EngineUnavailable as second:
            return Removal("unknown", f"{error.sentence} Looking again failed too: {second.sentence}")
        return Removal("failed", f"{error.sentence} It is still there.")

    def _require_engine(self, connection: Connection) -> None:
        info = connection.get("/info", seconds=LOOK_SECONDS)
        if not isinstance(info, Mapping) or info.get("ID") != self._engine_id:
            raise HostProblem("engine_replaced", "Another engine answers than the one the plan was made for.")

    def _connection(self) -> Connection:
        return Connection(self._url, api_version=self._api_version, max_answer_bytes=MAX_ANSWER_BYTES)


def prune_parameters(bounds: PruneBounds, api_version: str) -> dict[str, str]:
    """The query of `POST /build/prune`.

    Before API 1.48 there is one bound, `keep-storage`: what is left at least, and where pruning stops. `reserved-space`
    sent there is ignored, and everything eligible goes. So the older bound is the larger of the two that are wanted.
    """
    params = {"all": "false", "filters": json.dumps({"until": [f"{bounds.min_age_seconds}s"]})}
    if is_at_least(api_version, "1.48"):
        params["reserved-space"] = str(bounds.keep_bytes)
        if bounds.max_bytes is not None:
            params["max-used-space"] = str(bounds.max_bytes)
        return params
    return params | {"keep-storage": str(max(bounds.keep_bytes, bounds.max_bytes or 0))}


def _checked(value: str, shape: re.Pattern[str]) -> str:
    """`value` for a URL path. Raises HostProblem: nothing that could mean another path is ever sent."""
    if not shape.fullmatch(value):
        raise HostProblem("unsafe_name", f"{value[:80]!r} is no name that the engine can be asked to remove.")
    return quote(value, safe=":")


def _image_differs(found: Any, expected: ExpectedImage) -> str | None:
    tags = tuple(sorted(tag for tag in (found.get("RepoTags") or []) if tag != "<none>:<none>"))
    if found.get("Id") != expected.id:
        return "Another image answers to this id."
    if tags != tuple(sorted(expected.tags)):
        return f"It was tagged since: {', '.join(tags) or 'no tag'} now."
    if found.get("Size") != expected.size_bytes:
        return "Its size is not the one that was approved."
    return None


def _image_is_used(connection: Connection, image_id: str) -> str | None:
    filters = json.dumps({"ancestor": [image_id]})
    using = connection.get("/containers/json", seconds=LOOK_SECONDS, params={"all": 1, "filters": filters})
    return f"{len(using)} containers use it now." if using else None


def _delete_image(connection: Connection, ref: str) -> list[Mapping[str, str]]:
    """`noprune`: no parent goes along that nobody approved."""
    params = {"force": "false", "noprune": "true"}
    answer = connection.delete(f"/images/{quote(ref, safe=':/@')}", seconds=REMOVE_SECONDS, params=params)
    return [entry for entry in decoded(answer) if isinstance(entry, Mapping)]


def _image_removal(entries: list[Mapping[str, str]], expected: ExpectedImage) -> Removal:
    deleted = tuple(entry["Deleted"] for entry in entries if "Deleted" in entry)
    if not expected.tags and entries and "Untagged" in entries[0]:
        # FACTS: deleting a tagged image by id says Untagged first; it was tagged between our look and the removal
        return Removal("raced", "Somebody tagged it in the same moment; it went with that tag.", None, deleted)
    if expected.id not in deleted:
        return Removal("failed", "Its tags are gone, but the engine kept the image.", 0, deleted)
    return Removal("done", f"The engine deleted the image and {len(deleted) - 1} layers.", None, deleted)


def _container_differs(found: Any, expected: ExpectedContainer) -> str | None:
    state = (found.get("State") or {}).get("Status")
    if found.get("Id") != expected.id or str(found.get("Name", "")).removeprefix("/") != expected.name:
        return "Another container answers to this id."
    if found.get("Image") != expected.image_id:
        return "It is made of another image than the one that was approved."
    return None if state in STOPPED else f"The container is {state} now."


def _volume_differs(found: Any, expected: ExpectedVolume) -> str | None:
    if found.get("Name") != expected.name or found.get("Driver") != expected.driver:
        return "Another volume answers to this name."
    if _moment(found.get("CreatedAt")) != expected.created_at:
        return "A volume of this name was made anew since."
    return None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _volume_is_used(connection: Connection, name: str) -> str | None:
    filters = json.dumps({"volume": [name]})
    using = connection.get("/containers/json", seconds=LOOK_SECONDS, params={"all": 1, "filters": filters})
    if using:
        return f"{len(using)} containers refer to it now."
    return _service_uses(connection, name)


def _service_uses(connection: Connection, name: str) -> str | None:
    """A service scaled to zero has no container, and still wants its volume. A worker of a swarm cannot tell."""
    swarm = connection.get("/info", seconds=LOOK_SECONDS).get("Swarm") or {}
    if swarm.get("LocalNodeState") == "inactive":
        return None
    if not swarm.get("ControlAvailable"):
        return "This engine is part of a swarm and cannot tell whether a service uses it."
    for service in connection.get("/services", seconds=LOOK_SECONDS):
        task = ((service.get("Spec") or {}).get("TaskTemplate") or {}).get("ContainerSpec") or {}
        if any(mount.get("Source") == name for mount in task.get("Mounts") or []):
            return f"Service {(service.get('Spec') or {}).get('Name')} uses it."
    return None


def _pruned(answer: Any) -> Removal:
    records = tuple(answer.get("CachesDeleted") or ()) if isinstance(answer, Mapping) else ()
    freed = answer.get("SpaceReclaimed") if isinstance(answer, Mapping) else None
    if not isinstance(freed, int):
        return Removal("unknown", "The engine did not say what its prune freed.")
    return Removal("done", f"The engine pruned {len(records)} records.", freed, records)
