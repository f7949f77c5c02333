"""The kinds of change. A domain registers its own; the engine that applies them knows nothing else of the domain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from launchplane.changes.contracts import BoundsInForce, Evidence, Gate, Plan, PlannedStep, StepOutcome
from launchplane.hosts.models import Host
from launchplane.schedule import jobs


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
        """Verify the item once more and act, within the step's own time. Called once a step, after its intent."""
        ...

    def look(self, step: PlannedStep) -> StepOutcome:
        """Only look what became of a step whose worker died: done, skipped (not done) or unknown. Changes nothing."""
        ...

    def recall(self, before: Evidence) -> None:
        """Called first where a worker died: what it had seen before it began, as `evidence` told then."""
        ...

    def evidence(self, *, before: bool) -> Evidence:
        """What is there now. After a run `missing` names protections and requirements that are gone, which fails it."""
        ...


def any_difference(granted: BoundsInForce, now: BoundsInForce) -> tuple[str, ...]:
    """Every difference counts as looser: for kinds that cannot tell."""
    return () if granted == now else ("The bounds are not those that were approved.",)


@dataclass(frozen=True, slots=True)
class ChangeKind:
    """A kind of change: who may ask and decide, under what authority, and the functions that do it.

    `plan` observes and plans (`items` for kinds with named items) and never changes anything. `start` opens a run for
    an approved plan. `phrase` is what an approver must type (None: nothing), from the plan.

    `bounds` tells what a standing approval would bind, and `loosened` names, each in a sentence, what got looser
    between two of those: that voids the approval. `routine_gates` do not apply when people asked for a routine kind
    once. `held_back` says why no schedule may run it on a host now (None: it may). `stopped` is what the audit calls a
    run that gates stopped before anything was done.
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
    bounds: Callable[[Host], BoundsInForce] | None = None
    loosened: Callable[[BoundsInForce, BoundsInForce], tuple[str, ...]] = any_difference
    routine_gates: frozenset[str] = frozenset({"pressure", "window"})
    held_back: Callable[[Host], str | None] = jobs.not_held_back
    stopped: Literal["skipped", "failed"] = "skipped"
    subject_is_lane: bool = False


_kinds: dict[str, ChangeKind] = {}


def register(kind: ChangeKind) -> None:
    """Make a kind known; a routine kind gets a scheduled job, which starts disabled on every host."""
    _kinds[kind.name] = kind
    if kind.routine_cron is not None:
        jobs.register(
            jobs.Job(
                name=kind.name,
                title=kind.title,
                default_cron=kind.routine_cron,
                starts_enabled=False,
                run=_routine(kind.name),
                held_back=kind.held_back,
            )
        )


def _routine(name: str) -> Callable[[Host], str]:
    def run(host: Host) -> str:
        from launchplane.changes.routine import run_routine

        return run_routine(_kinds[name], host)

    return run


def kind_named(name: str) -> ChangeKind | None:
    """The kind of that name, if a domain has registered it."""
    return _kinds.get(name)


def all_kinds() -> Mapping[str, ChangeKind]:
    """Every registered kind, by name."""
    return _kinds


def unregister(name: str) -> None:
    """Forget a kind; for tests that bring their own."""
    _kinds.pop(name, None)
    jobs.forget(name)
