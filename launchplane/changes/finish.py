"""How a run ends: completed, failed, in doubt, or approved as before if nothing was begun. Each with its record."""

import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audits.errors import Unwritable
from audits.kept import kept
from launchplane import canonical
from launchplane.access.people import Principal
from launchplane.changes import lock, notify, obstacles, records, standing, states
from launchplane.changes.contracts import Evidence, Gate
from launchplane.changes.figures import counted, figures, least
from launchplane.changes.kinds import Run
from launchplane.changes.marks import skip_what_was_not_begun
from launchplane.changes.models import Approval, Change, Step
from launchplane.changes.models.change import Status, Why
from launchplane.changes.planning import known_kind
from launchplane.changes.steps import Halt
from launchplane.problems import Problem

log = logging.getLogger(__name__)

TRY_AGAIN_AFTER = timedelta(minutes=5)
GOOD_HALTS = ("gate", "cap")

Outcome = Step.Outcome


def finish(change: Change, run: Run | None, halt: Halt | None, *, by: Principal) -> Change:
    """Move `change`, which is being applied or in doubt, to where it belongs now. Raises Moved, AuditRefused."""
    steps = list(change.steps.all())
    if unresolved := [step for step in steps if is_unresolved(step)]:
        return mark_in_doubt(change, _words_of_doubt(unresolved), by=by)
    begun = any(step.intent_at for step in steps)
    if not begun and halt is not None and halt.may_pass and change.status == Status.APPLYING:
        return release(change, halt.sentence, by=by)
    after = _after(run) if begun else None
    failures = _failures(steps, halt, after, begun=begun)
    return _end(change, steps, after, failures, halt, by=by)


def is_unresolved(step: Step) -> bool:
    """Begun, and nobody knows what became of it."""
    return step.intent_at is not None and step.outcome in ("", Outcome.UNKNOWN)


def release(change: Change, why: str, *, by: Principal, gates: Sequence[Gate] = ()) -> Change:
    """Nothing was begun: the approval is as good as new, and the change is tried again until its deadline."""
    if change.steps.filter(intent_at__isnull=False).exists():
        raise AssertionError("a change with a begun item is not released")
    kind, now = known_kind(change.kind), timezone.now()
    payload = {"why": why, "nothing_changed": True, "gates": _plain_gates(gates)}
    with states.moving(
        change,
        Status.APPROVED,
        by=by,
        told=records.Telling("deferred", kind.stopped, payload, of_kind=True),
        only_if=Q(fencing_token=change.fencing_token),
        next_try_at=now + TRY_AGAIN_AFTER,
        gates=_gates_text(gates),
        sentence=obstacles.deferred(why),
    ):
        # what this claim consumed, and nothing that anybody took back or that time ended meanwhile
        ours = Approval.objects.filter(change=change, digest=change.digest, consumed_at=change.started_at)
        ours.filter(revoked_at=None, expires_at__gt=now).update(consumed_at=None)
        change.steps.filter(outcome=Outcome.SKIPPED).update(outcome="", detail="", finished_at=None)
        lock.let_go(change.host)
    return change


def close_stale(change: Change, differences: Sequence[str], *, by: Principal) -> Change:
    """The host is not any more what was planned for: nothing was done, and nothing will be."""
    kind = known_kind(change.kind)
    sentence = f"The host has changed since it was planned: {' '.join(differences)}"
    payload = {"differences": list(differences), "nothing_changed": True}
    with states.moving(
        change,
        Status.CLOSED,
        by=by,
        told=records.Telling("stale", kind.stopped, payload, of_kind=True),
        only_if=Q(fencing_token=change.fencing_token),
        why_closed=Why.STALE,
        ended_at=timezone.now(),
        sentence=sentence,
    ):
        change.steps.filter(outcome="").update(outcome=Outcome.SKIPPED, detail="stale", finished_at=timezone.now())
        lock.let_go(change.host)
    return change


def fail(change: Change, why: str, *, by: Principal) -> Change:
    """End a change that cannot go on for a reason of its own, before anything was begun. Raises Moved."""
    with transaction.atomic():
        skip_what_was_not_begun(change, why)
        return _end(change, list(change.steps.all()), None, [why], None, by=by)


def end_unresolved(change: Change, *, by: Principal, reason: str) -> Change:
    """A person said that nothing more is to be found out. What is unknown stays so in the record. Raises Moved."""
    with transaction.atomic():
        open_ones = change.steps.filter(outcome="", intent_at__isnull=False)
        open_ones.update(outcome=Outcome.UNKNOWN, detail="Not known.", finished_at=timezone.now())
        skip_what_was_not_begun(change, "Not begun.")
        return _end(change, list(change.steps.all()), None, [f"Resolved by {by.name}: {reason}"], None, by=by)


def mark_in_doubt(
    change: Change, why: str, *, by: Principal, only_if: Q | None = None, token: int | None = None
) -> Change:
    """Somebody has to look: recovery first, then a person. The host takes no other change meanwhile.

    With a new fencing `token` the old worker begins nothing any more.
    """
    if change.status == Status.IN_DOUBT:
        Change.objects.filter(pk=change.pk, status=Status.IN_DOUBT).update(
            sentence=kept(why), next_try_at=timezone.now() + TRY_AGAIN_AFTER
        )
        change.refresh_from_db()
        return change
    with states.moving(
        change,
        Status.IN_DOUBT,
        by=by,
        told=records.Telling("in_doubt", "failed", {"why": why}),
        only_if=Q(fencing_token=change.fencing_token) & (only_if or Q()),
        fencing_token=token or change.fencing_token,
        next_try_at=timezone.now(),
        sentence=why,
    ):
        notify.about(change, "in_doubt", why)
        standing.suspend(change.host, change.kind, f"Change {change.pk} is in doubt: {why}")
    return change


def _words_of_doubt(unresolved: Sequence[Step]) -> str:
    first = unresolved[0]
    more = f" and of {len(unresolved) - 1} more" if len(unresolved) > 1 else ""
    detail = f": {first.detail}" if first.detail else "."
    return f"What became of item {first.position} ({first.verb} {first.target}){more} is not known{detail}"


def _after(run: Run | None) -> Evidence | str:
    """What is there after a run, or why that could not be seen."""
    if run is None:
        return "The host could not be looked at."
    try:
        after = Evidence.model_validate(run.evidence(before=False))
        _text(after)
    except Problem as problem:
        return problem.sentence
    except Exception as error:
        log.exception("looking at the host after a run failed")
        return f"Looking failed unexpectedly: {type(error).__name__}."
    return after


def _failures(steps: Sequence[Step], halt: Halt | None, after: Evidence | str | None, *, begun: bool) -> list[str]:
    """Why this run did not go well, in sentences; none if it did. What could not be verified did not go well."""
    found = []
    if isinstance(after, str):
        found.append(f"What must be there after the run could not be verified: {after}")
    elif after is not None and after.missing:
        found.append(f"Missing after the run: {', '.join(after.missing)}.")
    if failed := sum(step.outcome == Outcome.FAILED for step in steps):
        found.append(f"{failed} of {len(steps)} items failed.")
    # said by the items themselves: after a crash nobody has the halt any more
    raced = [step for step in steps if step.outcome == Outcome.RACED]
    found += [f"Stopped: Somebody was faster at item {step.position}: {step.detail}" for step in raced]
    if halt is not None and halt.why not in GOOD_HALTS and not (raced and halt.why == "raced"):
        found.append(f"Stopped: {halt.sentence}")
    if not begun and not found and steps:
        found.append("Nothing was done.")
    return found


def _end(
    change: Change,
    steps: Sequence[Step],
    after: Evidence | str | None,
    failures: Sequence[str],
    halt: Halt | None,
    *,
    by: Principal,
) -> Change:
    """Store the end and its record. Raises Moved, AuditRefused if the store takes no record at all."""
    numbers = figures(change, steps, after)
    sentence = " ".join([*failures, counted(steps, numbers["actual_bytes"])])
    payload = {
        "mode": "apply",
        "halted": {"why": halt.why, "sentence": halt.sentence} if halt else None,
        "failures": list(failures),
        "steps": [_plain_step(step) for step in steps],
        "gates": json.loads(change.gates),
        "before": json.loads(change.before) if change.before else None,
        "after": after.model_dump(mode="json") if isinstance(after, Evidence) else after,
        "nothing_changed": not any(step.intent_at for step in steps),
        **numbers,
    }
    told = records.Telling("ended", "failed" if failures else "completed", payload, of_kind=True)
    try:
        return _move_to_the_end(change, told, after, sentence, numbers["actual_bytes"], by=by)
    except Unwritable as refused:
        # whatever a host said: a change that cannot be told in full ends all the same, and holds its host no longer
        log.exception("the record of the end of change %s holds counts only", change.pk)
        told.payload = least(steps, type(refused.__cause__).__name__ if refused.__cause__ else "too long")
        return _move_to_the_end(change, told, after, sentence, numbers["actual_bytes"], by=by)


def _move_to_the_end(
    change: Change,
    told: records.Telling,
    after: Evidence | str | None,
    sentence: str,
    actual_bytes: int | None,
    *,
    by: Principal,
) -> Change:
    failed = told.status == "failed"
    with states.moving(
        change,
        Status.FAILED if failed else Status.COMPLETED,
        by=by,
        told=told,
        only_if=Q(fencing_token=change.fencing_token),
        ended_at=timezone.now(),
        next_try_at=None,
        after=_text(after) if isinstance(after, Evidence) else "",
        actual_bytes=actual_bytes,
        sentence=sentence,
    ):
        lock.let_go(change.host)
        if failed:
            notify.about(change, "failed", sentence)
        if isinstance(after, Evidence) and after.missing:
            standing.suspend(change.host, change.kind, f"Change {change.pk}: {sentence}")
    return change


def _plain_step(step: Step) -> dict[str, Any]:
    return {
        "position": step.position,
        "verb": step.verb,
        "target": step.target,
        "begun": step.intent_at is not None,
        "outcome": step.outcome,
        "detail": step.detail,
        "freed_bytes": step.freed_bytes,
        "evidence": json.loads(step.evidence) if step.evidence else None,
    }


def _plain_gates(gates: Sequence[Gate]) -> list[dict[str, Any]]:
    return [gate.model_dump(mode="json") for gate in gates]


def _gates_text(gates: Sequence[Gate]) -> str:
    return canonical.canonical(_plain_gates(gates)).decode()


def _text(evidence: Evidence) -> str:
    return canonical.canonical(evidence).decode()
