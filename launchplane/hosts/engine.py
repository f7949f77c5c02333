"""The one door to a Docker engine. So far it only looks: nothing here can change a host."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from launchplane.hosts.contracts import Answer, EngineIdentity, RawObservation

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
