"""Item by item: look at what may stop it, store the intent, act, store the outcome. Knows no domain."""

import logging
from dataclasses import dataclass
from typing import Literal

from django.utils import timezone

from launchplane.changes import freeze, lock
from launchplane.changes.calls import allowance_of
from launchplane.changes.claim import Claim
from launchplane.changes.contracts import PlannedStep, StepOutcome
from launchplane.changes.kinds import Run
from launchplane.changes.marks import Marks, skip_what_was_not_begun
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.news import News
from launchplane.changes.stopping import Stop
from launchplane.hosts.boundary import within
from launchplane.hosts.models import Host
from launchplane.problems import Problem

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Halt:
    """Why no further item was begun. An orderly one (a gate) leaves a run that went well otherwise completed."""

    why: Literal["gate", "freeze", "stopped", "withdrawn", "raced", "unknown", "cap"]
    sentence: str

    @property
    def may_pass(self) -> bool:
        """Whether the same change could still be applied later, if nothing of it was begun."""
        return self.why in ("gate", "freeze", "stopped", "withdrawn")


def take_steps(claim: Claim, run: Run, stop: Stop) -> Halt | None:
    """Take one item after the other, until all have their outcome or something halts. Raises ClaimLost."""
    allowance = allowance_of(claim.plan, still_mine=claim.still_mine, fencing_token=claim.token)
    marks, news, freed = Marks(claim.change, claim.token), News(), 0
    for step in claim.plan.steps:
        halt = _reason_to_halt(claim, run, stop, news, freed)
        if halt is None:
            marks.begin(step)
            with within(allowance):
                outcome = _act(run, step)
            outcome = outcome if outcome.outcome != "unknown" else look(run, step, outcome)
            marks.became(step, outcome)
            freed += max(outcome.freed_bytes if outcome.freed_bytes is not None else step.predicted_bytes or 0, 0)
            halt = _reason_after(step, outcome)
        if halt is not None:
            skip_what_was_not_begun(claim.change, halt.sentence)
            return halt
    return None


def look(run: Run, step: PlannedStep, unknown: StepOutcome) -> StepOutcome:
    """What became of an item, by looking only. What cannot be seen stays unknown."""
    try:
        seen = StepOutcome.model_validate(run.look(step))
    except Problem as problem:
        return unknown.model_copy(update={"detail": f"{unknown.detail} Looking again: {problem.sentence}"})
    except Exception as error:
        log.exception("looking at item %s failed", step.position)
        return unknown.model_copy(update={"detail": f"{unknown.detail} Looking again failed: {type(error).__name__}."})
    if seen.outcome == "unknown":
        return seen
    return seen.model_copy(update={"detail": f"{unknown.detail} Looked again: {seen.detail}"})


def _act(run: Run, step: PlannedStep) -> StepOutcome:
    try:
        return StepOutcome.model_validate(run.act(step))
    except Problem as problem:
        return StepOutcome(outcome="failed", detail=problem.sentence, freed_bytes=None, evidence={"code": problem.code})
    except Exception as error:
        log.exception("item %s failed unexpectedly", step.position)
        detail = f"Failed unexpectedly: {type(error).__name__}. The log has the details."
        return StepOutcome(outcome="unknown", detail=detail, freed_bytes=None, evidence={})


def _reason_to_halt(claim: Claim, run: Run, stop: Stop, news: News, freed_bytes: int) -> Halt | None:
    if (why := stop.why()) is not None:
        return Halt("stopped", why)
    if (why := lock.why_lost(claim.change.host)) is not None:
        return Halt("stopped", why)
    standing = claim.change.standing
    if standing is not None and freed_bytes > standing.bytes_per_run:
        return Halt("cap", f"The run freed {freed_bytes} bytes; the standing approval allows {standing.bytes_per_run}.")
    # people after gates: reading gates takes its time, and they meant this item too
    closed = _closed_step_gate(claim, run)
    return (_stopped_by_people(claim.change) if news.any() else None) or closed


def _stopped_by_people(change: Change) -> Halt | None:
    """What people froze or took back since the claim: all changes, the host's own switch, the standing approval."""
    if not Host.objects.filter(pk=change.host_id, approved=True).exists():
        return Halt("withdrawn", f"{change.host.name} is not approved for changes any more.")
    live = StandingApproval.objects.live(timezone.now())
    if change.standing_id is not None and not live.filter(pk=change.standing_id).exists():
        return Halt("withdrawn", "The standing approval is not in force any more.")
    row = freeze.frozen(change.host)
    return Halt("freeze", freeze.sentence(row)) if row is not None else None


def _closed_step_gate(claim: Claim, run: Run) -> Halt | None:
    try:
        gates = run.step_gates()
    except Problem as problem:
        return Halt("gate", f"A gate could not be read: {problem.sentence}")
    except Exception as error:
        log.exception("the gates before a step could not be read")
        return Halt("gate", f"A gate could not be read: {type(error).__name__}. The log has the details.")
    closed = [gate for gate in gates if not gate.is_open and gate.name not in claim.waived]
    return Halt("gate", f"{closed[0].name}: {closed[0].reason}") if closed else None


def _reason_after(step: PlannedStep, outcome: StepOutcome) -> Halt | None:
    if outcome.outcome == "raced":
        return Halt("raced", f"Somebody was faster at item {step.position}: {outcome.detail}")
    if outcome.outcome == "unknown":
        return Halt("unknown", f"What became of item {step.position} is not known: {outcome.detail}")
    return None
