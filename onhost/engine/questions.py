"""What is ever asked of an engine, by name, and which engines are understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from onhost.engine.answers import EngineIdentity
from onhost.engine.errors import EngineReplaced, EngineUnavailable

API_OLDEST: Final = (1, 41)
API_NEWEST: Final = (1, 52)

VERSION: Final = "version"
INFO: Final = "info"
DF: Final = "df"
IMAGES: Final = "images"
CONTAINERS: Final = "containers"
VOLUMES: Final = "volumes"
SERVICES: Final = "services"
EVENTS: Final = "events"

BUILDER_READS: Final[Mapping[str, tuple[str, ...]]] = {
    "du": ("buildctl", "du", "--format", "{{json .}}"),
    "workers": ("buildctl", "debug", "workers", "--format", "{{json .}}"),
    "histories": ("buildctl", "debug", "histories", "--format", "{{json .}}"),
}

GONE: Final = "gone"


def builder_answer(container_id: str, read: str) -> str:
    """The name of the answer to one of BUILDER_READS inside one builder's container."""
    return f"buildkit/{container_id}/{read}"


def require_pinned(identity: EngineIdentity, pinned_id: str) -> None:
    """Raise EngineReplaced if `identity` is not the engine that was there when the host was added."""
    if identity.engine_id != pinned_id:
        raise EngineReplaced(
            "engine_replaced",
            f"Another engine answers: {identity.engine_id}; pinned is {pinned_id}. Nothing was read. "
            "If the machine was rebuilt on purpose, add it as a new host.",
        )


def pinned_api_version(server: str, *, oldest_served: str = "") -> str:
    """The newest API version that both this engine and our tests know. Raises EngineUnavailable."""
    newest = _version(server)
    if newest < API_OLDEST:
        raise EngineUnavailable(
            "api_too_old",
            f"The engine speaks API {server}; Launchplane needs {_text(API_OLDEST)} (Docker 20.10) or newer. "
            "Upgrade Docker on the host.",
        )
    if oldest_served and _version(oldest_served) > API_NEWEST:
        raise EngineUnavailable(
            "api_too_new",
            f"The engine serves no API older than {oldest_served}; Launchplane is tested up to {_text(API_NEWEST)}. "
            "Upgrade Launchplane.",
        )
    return _text(min(newest, API_NEWEST))


def is_at_least(api_version: str, wanted: str) -> bool:
    """Whether this API version has what came with `wanted`."""
    return _version(api_version) >= _version(wanted)


def _version(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})", text)
    if match is None:
        raise EngineUnavailable(
            "not_an_engine", "The server names no API version as Docker engines do. Check the socket's address."
        )
    return int(match[1]), int(match[2])


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
