"""The kinds of change. A domain registers its own; the engine that applies them knows nothing else of the domain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from launchplane.changes.contracts import Evidence, Gate, Plan, PlannedStep, StepOutcome
from launchplane.hosts.models import Host


class Run(Protocol):
    """One application of a plan by a domain, from the claim to the last look. The host's lock is held throughout.

    Every method may raise Problem; what a step raises is recorded as that step's failure.
    """

    def differences(self) -> tuple[str, ...]:
        """Observe again: which preconditions of the plan do not hold any more, each in a sentence. Empty is fine."""
        ...

    def gates(self) -> tuple[Gate, ...]:
        """Every gate of the kind, read now."""
        ...

    def step_gates(self) -> tuple[Gate, ...]:
        """The gates that are read again before each step."""
        ...

    def act(self, step: PlannedStep) -> StepOutcome:
        """Verify the item once more and act, within the step's own time. Called once for each step, after its intent."""
        ...

    def look(self, step: PlannedStep) -> StepOutcome:
        """Only look what became of a step whose worker died: done, skipped (not done) or unknown. Changes nothing."""
        ...

    def evidence(self, *, before: bool) -> Evidence:
        """What is there now. After a run: `missing` names protections and requirements that are gone, which fails it."""
        ...


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """A kind of change: who may ask and decide, under what authority, and the functions that do it.

    `plan` observes and plans (`items` for kinds with named items) and never changes anything. `start` opens a run for an
    approved plan. `phrase` is what an approver must type (None: nothing), from the plan.
    """

    name: str
    title: str
    authority: Literal["approval", "standing"]
    request_right: str
    approve_right: str
    plan: Callable[..., Plan]
    start: Callable[[Host, Plan], Run]
    phrase: Callable[[Plan], str | None]
    routine_cron: str | None = None
    nothing_to_do: Callable[[Plan], str | None] = lambda plan: None if plan.steps else "Nothing to do."


_kinds: dict[str, ChangeKind] = {}


def register(kind: ChangeKind) -> None:
    """Make a kind known."""
    _kinds[kind.name] = kind


def kind_named(name: str) -> ChangeKind | None:
    """The kind of that name, if a domain has registered it."""
    return _kinds.get(name)


def all_kinds() -> Mapping[str, ChangeKind]:
    """Every registered kind, by name."""
    return _kinds


def unregister(name: str) -> None:
    """Forget a kind; for tests that bring their own."""
    _kinds.pop(name, None)
