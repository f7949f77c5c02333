"""What will happen, exactly: steps, bounds, gates and what became of them. Nothing here knows Docker or a runner.

A plan is what people approve. It is stored as canonical text, and its digest is over that text.
"""

from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypeAliasType

from launchplane.hosts.contracts import Contract

RULES_VERSION = 1

Json = TypeAliasType("Json", "str | int | bool | tuple[Json, ...] | Mapping[str, Json] | None")


class Blocker(Contract):
    """Why a plan is not ready, and what to do about it."""

    code: str
    summary: str


class Gate(Contract):
    """A condition for applying. Unknown counts as closed."""

    name: str
    state: Literal["open", "closed", "unknown"]
    reason: str
    evidence: Mapping[str, Json]

    @property
    def is_open(self) -> bool:
        return self.state == "open"


class PlannedStep(Contract):
    """One item: what is done to it (`verb`), what it is (`target`), and what must still hold just before (`expected`).

    `undo` is what would be needed to get it back; `reversible` says whether it can be got back at all.
    """

    position: int
    verb: str
    target: str
    title: str
    expected: Mapping[str, Json]
    undo: Mapping[str, Json]
    reversible: Literal["yes", "no", "unknown"]
    predicted_bytes: int | None


class DeclaredCall(Contract):
    """A call that the change may make while it is applied, and how often at most. Everything else is refused."""

    name: str
    at_most: int


class Boundary(Contract):
    """What privilege a change needs: on which host, as whom, through what, and how to get back (H23, H24)."""

    host: str
    user: str
    through: str
    calls: tuple[DeclaredCall, ...]
    before: str
    after: str
    rollback: str


class Plan(Contract):
    """What an approval binds. `target_identity` is opaque here: the engine's id for hygiene."""

    kind: str
    host: str
    subject: str
    title: str
    target_identity: str
    rules_version: int
    steps: tuple[PlannedStep, ...]
    protections: tuple[str, ...]
    bounds: Mapping[str, Json]
    boundary: Boundary
    predicted_bytes: int | None
    blockers: tuple[Blocker, ...]
    next_steps: tuple[str, ...]
    facts: Mapping[str, Json]

    @property
    def status(self) -> Literal["ready", "blocked"]:
        return "blocked" if self.blockers else "ready"


class StepOutcome(Contract):
    """What became of a step. `skipped` and `raced` say why in `detail`; `unknown` waits for someone to look."""

    outcome: Literal["done", "gone", "skipped", "raced", "failed", "unknown"]
    detail: str
    freed_bytes: int | None
    evidence: Mapping[str, Json]


class Evidence(Contract):
    """What was seen before or after a run: goes into the audit record as it is."""

    facts: Mapping[str, Json]
    missing: tuple[str, ...]
    actual_bytes: int | None


class BoundsInForce(Contract):
    """What a routine kind keeps within on a host now: budgets and the like, and what it must never touch."""

    bounds: Mapping[str, Json]
    protections: tuple[str, ...]
