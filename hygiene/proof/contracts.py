"""What a proof has measured: milliseconds are on record, counts are what is compared. Pure.

What could not be measured is None, with why in `unmeasured`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from launchplane.hosts.contracts import Contract

MANIFEST_CHECKS = 200
MANIFEST_SECONDS = 6 * 3600

Outcome = Literal["holds", "fails", "not_proven"]


class Pull(Contract):
    """One pull. `cold`: nothing of that name was there before.

    `layers_loaded` and `layers_already_there` are all layers of the image. `layers_shared` of them are held by another
    image of the engine too, and counted apart: they say nothing about this image being warm (P24).
    `manifest_checks` are the requests for a manifest that the registry logged meanwhile.
    """

    image: str
    image_id: str
    state: Literal["cold", "warm"]
    duration_ms: int
    layers_loaded: int | None
    layers_already_there: int | None
    layers_shared: int | None
    manifest_checks: int | None
    unmeasured: Mapping[str, str]


class Build(Contract):
    """One build by the engine's own BuildKit: steps that ran, and steps that its cache knew already (FROM is none)."""

    duration_ms: int
    steps_run: int | None
    steps_cached: int | None
    unmeasured: Mapping[str, str]


class Budget(Contract):
    """How many manifest checks a registry allows in a time, and how many were counted in it (P26)."""

    limit: int
    window_seconds: int
    counted: int | None
    left: int | None


class Measurement(Contract):
    """One engine at one time. `cold` is None when the image was there already, or was measured before."""

    engine_id: str
    image: str
    at: datetime
    cold: Pull | None
    warm: Pull
    build: Build | None
    budget: Budget
    unmeasured: Mapping[str, str]


class Redeployment(Contract):
    """A swarm service that was removed and deployed again from the same image (P23)."""

    image_kept: bool
    runs_again: bool
    layers_loaded: int
    manifest_checks: int


class CleanUp(Contract):
    """One change that was applied between the two measurements."""

    change: str
    kind: str
    status: str
    requested_by: str
    approved_by: str
    items_done: int
    freed_bytes: int | None
    sentence: str


class Verdict(Contract):
    """Whether pull and build stayed warm, decided by counts. The ratios (100: as long as before) only inform."""

    outcome: Outcome
    reasons: tuple[str, ...]
    pull_percent: int | None
    build_percent: int | None


class Proof(Contract):
    """Measured before, cleaned, measured after."""

    before: Measurement
    clean_ups: tuple[CleanUp, ...]
    after: Measurement
    redeployment: Redeployment | None
    verdict: Verdict
