"""The one door to a Docker engine. So far it only looks: nothing here can change a host."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from launchplane.hosts.contracts import Answer, EngineIdentity, RawObservation
from launchplane.hosts.errors import EngineReplaced, EngineUnavailable

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

Progress = Callable[[str], None]


class Engine(Protocol):
    """What Launchplane may ask of an engine, wherever it runs."""

    def identify(self) -> EngineIdentity:
        """Which engine answers. Raises EngineUnavailable."""
        ...

    def observe(
        self, *, since: datetime | None, until: datetime, progress: Progress, pinned_id: str | None = None
    ) -> RawObservation:
        """One read-only pass; events from `since` on. Raises EngineUnavailable; any other failure is in its answer.

        With `pinned_id`, raises EngineReplaced before anything else is asked of an engine that has another id.
        """
        ...

    def glance(self, *, pinned_id: str) -> RawObservation:
        """The few answers that tell whether something runs or builds: quick, between two steps of a change.

        Raises EngineUnavailable, EngineReplaced.
        """
        ...

    def image_layers(self, image_ids: Sequence[str], *, progress: Progress) -> dict[str, Answer]:
        """For each id `{"layers": [diff ids], "sizes": [bytes of history]}`, base first; reason GONE on a 404."""
        ...


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
