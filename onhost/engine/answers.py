"""What an engine answered in one pass, before any judgement. Everything unmeasured has a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer of the engine: its decoded JSON (fields on the allow-list only), or why there is none."""

    value: Any
    duration_ms: int
    reason: str | None = None

    @property
    def failed(self) -> bool:
        return self.reason is not None


@dataclass(frozen=True)
class EngineIdentity:
    """Which engine answered: pinned when a host is added, compared before anything is believed."""

    engine_id: str
    engine_version: str
    api_version: str
    docker_root: str


@dataclass(frozen=True)
class RawObservation:
    """The answers of one pass over one engine, by name; the names are fixed in `onhost.engine.questions`."""

    identity: EngineIdentity
    answers: Mapping[str, Answer]
