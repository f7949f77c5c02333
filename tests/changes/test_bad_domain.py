"""A domain that misbehaves: it is stopped in the middle, says what cannot be kept, or finds the audit closed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.exceptions import TimeoutException

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes.apply import apply_change
from launchplane.changes.contracts import Evidence, StepOutcome
from launchplane.changes.models import Approval, Change, Notification, Step
from launchplane.changes.recover import recover, resolve
from launchplane.changes.requests import find_change
from launchplane.hosts.boundary import spend
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused
from tests.changes import toy
from tests.changes.test_apply import at, last_record
from tests.changes.ways import approved, names, outcomes, person

SECRET = "ghp_" + "a1B2c3D4" * 5


def applied(change: Change) -> Change:
    return apply_change(change, by=WORKER)


@contextmanager
def no_audit() -> Iterator[None]:
    """Nothing can be appended meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audits_auditrecord RENAME TO elsewhere")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO audits_auditrecord")


# --- stopped from outside ---


@pytest.mark.req("X17")
@pytest.mark.parametrize("window", ["before_act", "after_effect"])
@pytest.mark.parametrize("stop", [TimeoutException, KeyboardInterrupt, GeneratorExit])
def test_what_the_queue_stops_in_the_middle_of_an_item_is_settled_by_looking(
    host: Host, operator: User, approver: User, window: str, stop: type[BaseException]
) -> None:
    change = approved(host, operator, approver)

    def end(*_: object) -> None:
        raise stop

    at(window, end, step=2)
    with pytest.raises(stop):
        applied(change)
    toy.hook[0] = toy.nothing
    assert (find_change(change.pk).status, outcomes(change)) == ("applying", ["done", "", ""])
    made = toy.effects(host)
    assert recover() == 1
    assert outcomes(change) == ["done", "done" if window == "after_effect" else "skipped", "skipped"]
    assert toy.effects(host) == made


def test_a_step_that_was_stopped_may_call_nothing_any_more(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)

    def end(*_: object) -> None:
        raise TimeoutException

    at("before_act", end, step=1)
    with pytest.raises(TimeoutException):
        applied(change)
    with pytest.raises(Refused, match="no change is being applied"):
        spend("remove")


# --- the audit store refuses after effects ---


@pytest.fixture
def unrecorded(host: Host, operator: User, approver: User) -> Change:
    """All items are done, and the record of the end could not be stored."""
    change = approved(host, operator, approver)
    with no_audit_from_the_end():
        change = applied(change)
    assert (change.status, outcomes(change)) == ("applying", ["done"] * 3)
    return change


@contextmanager
def no_audit_from_the_end() -> Iterator[None]:
    closed = no_audit()
    at("at_end", lambda *_: closed.__enter__())
    try:
        yield
    finally:
        toy.hook[0] = toy.nothing
        closed.__exit__(None, None, None)


@pytest.mark.req("H54", "X17")
def test_an_end_that_could_not_be_recorded_is_recorded_by_recovery(unrecorded: Change, host: Host) -> None:
    assert recover() == 1
    assert find_change(unrecorded.pk).status == "completed"
    assert last_record(unrecorded)["nothing_changed"] is False
    assert len(toy.effects(host)) == 3


def test_as_long_as_nothing_can_be_recorded_nothing_else_begins(
    unrecorded: Change, host: Host, operator: User, approver: User
) -> None:
    toy.sign(host, "rubbish-9", text="x")
    other = approved(host, operator, approver)
    with no_audit():
        assert recover() == 0
        assert applied(other).status == "approved"
    assert find_change(unrecorded.pk).status == "applying"
    assert recover() == 1
    assert applied(other).status == "completed"


def test_what_is_put_off_while_the_audit_refuses_is_settled_as_failed(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    toy.sign(host, "closed")
    closed = no_audit()

    class Run(toy.ToyRun):
        def gates(self) -> Any:
            closed.__enter__()
            return super().gates()

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(toy.ToyRun, "gates", Run.gates)
            change = applied(change)
    finally:
        closed.__exit__(None, None, None)
    assert (change.status, names(host)) == ("applying", ["rubbish-1", "rubbish-2", "rubbish-3"])
    recover()
    assert (find_change(change.pk).status, outcomes(change)) == ("failed", ["skipped"] * 3)
    assert Approval.objects.get().consumed_at is not None


# --- what it says cannot be kept, or is not true ---


def evidence_of(**said: Any) -> Callable[..., Evidence]:
    evidence = Evidence(**({"facts": {}, "missing": (), "actual_bytes": None} | said))
    return lambda *_, **__: evidence


def after_only(monkeypatch: pytest.MonkeyPatch, evidence: Callable[..., Any]) -> None:
    honest = toy.ToyRun.evidence

    def say(run: toy.ToyRun, *, before: bool) -> Any:
        return honest(run, before=True) if before else evidence(run, before=False)

    monkeypatch.setattr(toy.ToyRun, "evidence", say)


def test_evidence_that_cannot_be_written_down_is_no_proof(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_only(monkeypatch, evidence_of(actual_bytes=2**60))
    change = applied(approved(host, operator, approver))
    assert (change.status, outcomes(change)) == ("failed", ["done"] * 3)
    assert "could not be verified: Looking failed unexpectedly" in change.sentence


def test_evidence_of_another_shape_is_no_proof(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_only(monkeypatch, lambda *_, **__: None)
    change = applied(approved(host, operator, approver))
    assert (change.status, change.actual_bytes) == ("failed", 30)


def test_an_outcome_of_another_shape_is_looked_at(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.ToyRun, "act", lambda *_: None)
    change = applied(approved(host, operator, approver))
    assert (change.status, outcomes(change)) == ("completed", ["skipped"] * 3)
    assert "Looked again: It is still there." in Step.objects.filter(change=change).earliest("position").detail


def test_a_figure_that_does_not_fit_what_the_items_say_is_flagged(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_only(monkeypatch, evidence_of(actual_bytes=5_000_000_000))
    change = applied(approved(host, operator, approver))
    last = last_record(change)
    assert (last["predicted_bytes"], last["freed_bytes"], last["actual_bytes"]) == (30, 30, 5_000_000_000)
    assert last["disagrees"] is True


def test_evidence_before_that_cannot_be_kept_lets_nothing_begin(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.ToyRun, "evidence", evidence_of(actual_bytes=2**60))
    change = applied(approved(host, operator, approver))
    assert (change.status, outcomes(change), toy.effects(host)) == ("failed", ["skipped"] * 3, [])


def test_an_outcome_that_cannot_be_written_down_is_still_an_outcome(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = toy.ToyRun.act

    def boast(run: toy.ToyRun, step: Any) -> StepOutcome:
        done = act(run, step)
        return done.model_copy(update={"freed_bytes": 2**60, "evidence": {"n": 2**60}, "detail": "no\0pe"})

    monkeypatch.setattr(toy.ToyRun, "act", boast)
    change = applied(approved(host, operator, approver))
    assert (change.status, outcomes(change)) == ("completed", ["done"] * 3)
    step = Step.objects.filter(change=change).earliest("position")
    assert (step.freed_bytes, step.detail) == (None, "no\N{REPLACEMENT CHARACTER}pe")
    assert json.loads(step.evidence) == {"not_kept": "IntegerDomainError"}


@pytest.mark.parametrize("window", ["differences", "gates", "act", "evidence", "look"])
def test_a_secret_or_a_null_in_what_it_says_is_kept_nowhere(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch, window: str, settings: Any
) -> None:
    settings.NOTIFY_URLS = ["json://127.0.0.1:9/"]
    change = approved(host, operator, approver)

    def leak(*_: object, **__: object) -> Any:
        raise Problem("leak", f"It said \0 {'x' * 560} {SECRET}")

    if window == "look":
        monkeypatch.setattr(toy.ToyRun, "act", lambda *_: 1 / 0)
    monkeypatch.setattr(toy.ToyRun, window, leak)
    applied(change)
    text = " ".join(
        str(row)
        for rows in (Change.objects, Step.objects, Notification.objects, AuditRecord.objects)
        for row in rows.values()
    )
    assert "It said" in text
    assert not any(SECRET[:length] in text for length in range(12, len(SECRET)))
    assert "\\x00" not in text


# --- a plan that was altered while nobody looked ---


def test_recovery_does_not_look_by_a_plan_that_was_altered(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)

    def end(*_: object) -> None:
        raise TimeoutException

    at("after_effect", end, step=1)
    with pytest.raises(TimeoutException):
        applied(change)
    toy.hook[0] = toy.nothing
    Change.objects.update(plan=change.plan.replace("rubbish-1", "rubbish-9"))
    recover()
    change = find_change(change.pk)
    assert (change.status, outcomes(change)[0]) == ("in_doubt", "unknown")
    assert resolve(change, by=person(approver), reason="looked").status == "failed"


def test_what_recovery_settled_is_not_resolved_again(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    Change.objects.update(status="in_doubt", fencing_token=1, next_try_at=timezone.now())
    looked = find_change(change.pk)
    recover()
    with pytest.raises(Refused, match="Recovery was faster"):
        resolve(looked, by=person(approver), reason="looked")


# --- items ---


@pytest.mark.req("X17")
def test_an_item_that_was_begun_before_is_not_begun_again(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    at("after_effect", lambda *_: Step.objects.filter(position=2).update(intent_at=timezone.now()), step=1)
    assert applied(change).status == "applying"
    assert toy.effects(host) == ["rubbish-1"]
    toy.hook[0] = toy.nothing
    assert recover() == 1
    assert outcomes(change) == ["done", "skipped", "skipped"]


@pytest.mark.req("X1")
def test_of_many_items_the_one_in_hand_is_verified_when_its_turn_comes(
    host: Host, operator: User, approver: User
) -> None:
    for number in range(4, 137):
        toy.sign(host, f"rubbish-{number}", text=f"rubbish {number}\n")
    change = approved(host, operator, approver)
    third = change.planned().steps[2].target

    def somebody_works_on_it(*_: object) -> None:
        toy.sign(host, third, text="somebody's work")

    at("after_effect", somebody_works_on_it, step=2)
    change = applied(change)
    assert (change.status, change.sentence) == ("completed", "135 done, 1 skipped, freed 1.512 kB.")
    assert names(host) == [third]
