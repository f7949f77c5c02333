"""The last look at who uses a thing, right before it is removed: also at those whom the engine does not count."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from onhost.engine.calls import Connection
from onhost.engine.image_names import local_names
from onhost.engine.removals import ExpectedImage
from onhost.engine.volume_paths import TEMPLATE, reaches

LOOK_SECONDS: Final = 15.0
CANNOT_TELL: Final = "This engine is part of a swarm and cannot tell whether a service uses it."

# of a service's containers: the part of its specification that names an image and mounts
Spec = Mapping[str, Any]


def image_is_used(connection: Connection, expected: ExpectedImage, *, one_by_one: bool) -> str | None:
    """Why an image must stay; None if nobody is seen to use it.

    Containers are asked for where its names go `one_by_one` before the engine refuses the last; one removal it refuses
    as a whole. A service that has no container holds an image by its name alone, and the engine does not count it.
    """
    if one_by_one:
        filters = json.dumps({"ancestor": [expected.id]})
        using = connection.get("/containers/json", seconds=LOOK_SECONDS, params={"all": 1, "filters": filters})
        if using:
            return f"{len(using)} containers use it now."
    names = {*expected.tags, *expected.digests}
    if not names:
        return None

    def why(service: str, spec: Spec) -> str | None:
        named = local_names(spec.get("Image") or "")
        return None if names.isdisjoint(named) else f"Service {service} uses it."

    return _of_services(connection, why)


def volume_is_used(connection: Connection, name: str, mountpoint: str) -> str | None:
    """Why a volume must stay; None if nobody is seen to use it, by its name or by a folder.

    The engine counts only who names it: whoever mounts its folder by path is not in the way of its removal there.
    """
    found = connection.get("/containers/json", seconds=LOOK_SECONDS, params={"all": 1})
    using = sum(any(_is_of(mount, name, mountpoint) for mount in each.get("Mounts") or []) for each in found)
    if using:
        return f"{using} containers refer to it now."

    def why(service: str, spec: Spec) -> str | None:
        mounts = spec.get("Mounts") or []
        if any(_is_of(mount, name, mountpoint) for mount in mounts):
            return f"Service {service} uses it."
        if any(TEMPLATE in (mount.get("Source") or "") for mount in mounts):
            return f"Service {service} names what it mounts by a template, so nobody knows whether it is this one."
        return None

    return _of_services(connection, why)


def _is_of(mount: Mapping[str, Any], name: str, mountpoint: str) -> bool:
    """A container's mount names its volume and its folder, that of a service has either for its source."""
    source = mount.get("Source") or ""
    return name in (mount.get("Name"), source) or reaches(source, mountpoint)


def _of_services(connection: Connection, why: Callable[[str, Spec], str | None]) -> str | None:
    """The first reason that a service gives, with containers or without. A worker of a swarm cannot tell."""
    swarm = connection.get("/info", seconds=LOOK_SECONDS).get("Swarm") or {}
    if swarm.get("LocalNodeState") == "inactive":
        return None
    if not swarm.get("ControlAvailable"):
        return CANNOT_TELL
    for service in connection.get("/services", seconds=LOOK_SECONDS):
        spec = service.get("Spec") or {}
        task = (spec.get("TaskTemplate") or {}).get("ContainerSpec") or {}
        if (reason := why(str(spec.get("Name")), task)) is not None:
            return reason
    return None
