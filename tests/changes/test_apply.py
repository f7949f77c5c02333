"""From plan to proof, and everything that may come between."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.access.people import NOBODY, WORKER
from launchplane.changes import freeze, lock
from launchplane.changes.apply import apply_change, apply_queued
from launchplane.changes.contracts import PlannedStep, StepOutcome
from launchplane.changes.models import Approval, Change, Step
from launchplane.changes.requests import find_change
from launchplane.hosts.boundary import spend
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused
from tests.changes import toy
from tests.changes.ways import a_folder_host, approved, decided, names, outcomes, requested, told


def applied(change: Change) -> Change:
    return apply_change(change, by=WORKER)


def last_record(change: Change) -> dict[str, object]:
    payload: dict[str, object] = json.loads(AuditRecord.objects.filter(key=str(change.pk)).latest("seq").payload)
    return payload


def at(window: str, do: toy.Hook, *, step: int | None = None) -> None:
    """Have `do` happen at that window of the run, of that step if one is named."""

    def happen(now: str, planned: PlannedStep | None) -> None:
        if now == window and (step is None or (planned is not None and planned.position == step)):
            do(now, planned)

    toy.hook[0] = happen


@pytest.mark.req("H54", "X1")
def test_an_approved_change_is_carried_out_once_and_told(host: Host, operator: User, approver: User) -> None:
    change = applied(approved(host, operator, approver))
    assert (change.status, change.sentence) == ("completed", "3 done, freed 30 B.")
    assert toy.effects(host) == ["rubbish-1", "rubbish-2", "rubbish-3"]
    assert told(change) == [
        (toy.ONCE, "planned"),
        ("change.requested", "completed"),
        ("change.approved", "completed"),
        (toy.ONCE, "planned"),
        (toy.ONCE, "completed"),
    ]
    assert Approval.objects.get(change=change).consumed_at is not None


@pytest.mark.req("H48", "X3")
def test_the_record_holds_prediction_and_what_came_of_it(host: Host, operator: User, approver: User) -> None:
    change = applied(approved(host, operator, approver))
    last = last_record(change)
    assert (last["predicted_bytes"], last["actual_bytes"], last["disagrees"]) == (30, 30, False)
    assert last["before"] == {"actual_bytes": None, "facts": {"files": [*names_before(), "warm"]}, "missing": []}
    assert last["after"] == {"actual_bytes": None, "facts": {"files": ["warm"]}, "missing": []}


def names_before() -> list[str]:
    return ["rubbish-1", "rubbish-2", "rubbish-3"]


@pytest.mark.req("X17")
def test_a_task_that_is_delivered_twice_does_nothing_the_second_time(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    apply_queued(str(change.pk))
    toy.sign(host, "rubbish-1", text="rubbish 1\n")
    apply_queued(str(change.pk))
    assert names(host) == ["rubbish-1"]
    assert outcomes(change) == ["done", "done", "done"]


def test_what_was_planned_from_is_looked_at_again(host: Host, operator: User, approver: User, tmp_path: Path) -> None:
    change = approved(host, operator, approver)
    toy.folder_of(host).rename(tmp_path / "old")
    a_folder_host(tmp_path / "host", "other")
    change = applied(change)
    assert (change.status, change.why_closed) == ("closed", "stale")
    assert told(change)[-1] == (toy.ONCE, "skipped")
    assert (names(host), toy.effects(host)) == (names_before(), [])


@pytest.mark.req("X1", "H40")
def test_each_item_is_verified_just_before_and_what_is_left_alone_says_why(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    (toy.folder_of(host) / "rubbish-1").write_text("somebody's work")
    (toy.folder_of(host) / "rubbish-2").unlink()
    change = applied(change)
    assert (change.status, outcomes(change)) == ("completed", ["skipped", "gone", "done"])
    assert names(host) == ["rubbish-1"]
    steps: Any = last_record(change)["steps"]
    assert [(step["target"], step["detail"]) for step in steps] == [
        ("rubbish-1", "It has changed."),
        ("rubbish-2", "It is gone already."),
        ("rubbish-3", "Removed."),
    ]


@pytest.mark.req("P6", "P33")
def test_a_closed_gate_puts_the_change_off_until_it_is_open(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    toy.sign(host, "closed")
    change = applied(change)
    assert (change.status, change.sentence) == ("approved", "Nothing was done yet. toy: closed is there.")
    assert change.next_try_at is not None
    assert last_record(change)["nothing_changed"] is True
    assert json.loads(change.gates)[0]["state"] == "closed"
    toy.sign(host, "closed", there=False)
    assert applied(change).status == "completed"


def test_an_unreadable_host_puts_the_change_off(host: Host, operator: User, approver: User, tmp_path: Path) -> None:
    change = approved(host, operator, approver)
    toy.folder_of(host).rename(tmp_path / "away")
    change = applied(change)
    assert (change.status, change.sentence) == ("approved", "Nothing was done yet. The folder is gone.")


def test_a_gate_that_closes_in_the_middle_leaves_the_rest_alone(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    at("after_effect", lambda *_: toy.sign(host, "closed-step"), step=2)
    change = applied(change)
    assert (change.status, outcomes(change)) == ("completed", ["done", "done", "skipped"])
    assert Step.objects.get(change=change, position=3).detail == "toy_step: closed-step is there."


def test_a_step_gate_that_is_closed_at_once_puts_the_change_off(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    toy.sign(host, "closed-step")
    change = applied(change)
    assert (change.status, outcomes(change)) == ("approved", ["", "", ""])
    toy.sign(host, "closed-step", there=False)
    assert applied(change).status == "completed"


@pytest.mark.req("X18")
def test_a_freeze_in_the_middle_stops_at_the_next_item(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    at("after_effect", lambda *_: freeze.freeze(None, by=NOBODY, reason="incident"), step=1)
    change = applied(change)
    assert (change.status, outcomes(change)) == ("failed", ["done", "skipped", "skipped"])
    assert "froze everything: incident" in change.sentence
    assert len(names(host)) == 2


@pytest.mark.req("X18")
def test_a_freeze_while_the_gates_of_an_item_are_read_stops_that_item(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    at("before_intent", lambda *_: freeze.freeze(host, by=NOBODY, reason="incident"))
    change = applied(change)
    assert (change.status, toy.effects(host)) == ("approved", [])
    assert "incident" in change.sentence


@pytest.mark.req("X18")
@pytest.mark.parametrize("everything", [True, False])
def test_a_frozen_host_is_not_touched(host: Host, operator: User, approver: User, everything: bool) -> None:
    change = approved(host, operator, approver)
    freeze.freeze(None if everything else host, by=NOBODY, reason="incident")
    change = applied(change)
    assert (change.status, change.fencing_token) == ("approved", None)
    assert "incident" in change.sentence
    freeze.lift(None if everything else host, by=NOBODY, reason="over")
    assert applied(change).status == "completed"


def test_another_host_goes_on_when_one_is_frozen(host: Host, operator: User, approver: User, tmp_path: Path) -> None:
    other = a_folder_host(tmp_path / "other", "other")
    freeze.freeze(other, by=NOBODY, reason="incident")
    assert applied(approved(host, operator, approver)).status == "completed"


def test_a_host_that_is_not_approved_is_not_touched(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    Host.objects.update(approved=False)
    change = applied(find_change(change.pk))
    assert (change.status, names(host)) == ("approved", names_before())


@pytest.mark.req("D10")
def test_an_item_that_fails_is_told_and_the_rest_goes_on(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)

    def fail(*_: object) -> None:
        raise Problem("toy_500", "The engine answered with status 500.")

    at("before_act", fail, step=2)
    change = applied(change)
    assert (change.status, outcomes(change)) == ("failed", ["done", "failed", "done"])
    assert Step.objects.get(change=change, position=2).detail == "The engine answered with status 500."


def test_an_unexpected_error_is_looked_at(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)

    def break_down(*_: object) -> None:
        raise ZeroDivisionError

    at("after_effect", break_down, step=2)
    change = applied(change)
    assert (change.status, outcomes(change)) == ("completed", ["done", "done", "done"])
    assert "ZeroDivisionError" in Step.objects.get(change=change, position=2).detail


@pytest.mark.req("H14")
def test_what_stays_unknown_is_not_repeated_and_holds_the_host(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)

    def time_out(*_: object) -> None:
        toy.sign(host, "unreadable")
        raise ZeroDivisionError

    at("after_effect", time_out, step=1)
    change = applied(change)
    assert (change.status, outcomes(change)) == ("in_doubt", ["unknown", "skipped", "skipped"])
    other = approved_elsewhere(host, operator, approver)
    assert applied(other).sentence.startswith("Waits: Change")
    assert len(toy.effects(host)) == 1


def approved_elsewhere(host: Host, operator: User, approver: User) -> Change:
    toy.sign(host, "unreadable", there=False)
    other = requested(host, operator)
    decided(other, approver)
    return find_change(other.pk)


def test_a_lost_race_stops_the_run(host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch) -> None:
    change = approved(host, operator, approver)
    raced = StepOutcome(outcome="raced", detail="Untagged came first.", freed_bytes=None, evidence={})
    monkeypatch.setattr(toy.ToyRun, "act", lambda *_: raced)
    change = applied(change)
    assert (change.status, outcomes(change)) == ("failed", ["raced", "skipped", "skipped"])
    assert "Untagged came first" in change.sentence


@pytest.mark.req("H32")
def test_something_protected_that_is_gone_afterwards_fails_the_run(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    at("after_effect", lambda *_: toy.sign(host, "warm", there=False), step=3)
    change = applied(change)
    assert (change.status, outcomes(change)) == ("failed", ["done", "done", "done"])
    assert change.sentence == "Missing after the run: warm. 3 done, freed 30 B."


def test_what_cannot_be_verified_afterwards_has_failed(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)

    def gone(*_: object) -> None:
        raise Problem("toy_gone", "The folder is gone.")

    at("at_end", gone)
    change = applied(change)
    assert change.status == "failed"
    assert "could not be verified: The folder is gone." in change.sentence


@pytest.mark.req("X17")
def test_sigterm_finishes_the_item_in_hand(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    at("before_act", lambda *_: os.kill(os.getpid(), signal.SIGTERM), step=2)
    change = applied(change)
    assert (change.status, outcomes(change)) == ("failed", ["done", "done", "skipped"])
    assert "The worker was asked to end." in change.sentence


def test_sigterm_before_the_first_item_leaves_the_change_for_later(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    at("at_start", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    change = applied(change)
    assert (change.status, outcomes(change)) == ("approved", ["", "", ""])
    toy.hook[0] = toy.nothing
    assert applied(change).status == "completed"


@pytest.mark.req("H28")
def test_two_workers_do_not_apply_one_change(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    seen = []
    at("before_act", lambda *_: seen.append(applied(find_change(change.pk)).status), step=1)
    assert applied(change).status == "completed"
    assert seen == ["applying"]
    assert len(toy.effects(host)) == 3


@pytest.mark.req("H28")
def test_two_changes_of_one_host_come_one_after_the_other(host: Host, operator: User, approver: User) -> None:
    one = approved(host, operator, approver, items=["rubbish-1"])
    other = approved(host, operator, approver, items=["rubbish-2"])
    seen = []
    at("before_act", lambda *_: seen.append(applied(other)), step=1)
    assert applied(one).status == "completed"
    assert (seen[0].status, seen[0].sentence[:5]) == ("approved", "Waits")
    toy.hook[0] = toy.nothing
    assert applied(other).status == "completed"


def test_the_database_holds_a_host_for_one_change_by_itself(host: Host, operator: User, approver: User) -> None:
    one = approved(host, operator, approver, items=["rubbish-1"])
    other = approved(host, operator, approver, items=["rubbish-2"])
    Change.objects.filter(pk=one.pk).update(status="in_doubt", fencing_token=1)
    assert applied(other).status == "approved"


def test_a_lock_file_that_was_removed_does_not_let_two_in(host: Host, operator: User, approver: User) -> None:
    one = approved(host, operator, approver, items=["rubbish-1"])
    other = approved(host, operator, approver, items=["rubbish-2"])

    def race(*_: object) -> None:
        lock.lock_path(host).unlink()
        assert applied(other).status == "approved"

    at("before_act", race, step=1)
    assert applied(one).status == "completed"


@pytest.mark.req("H56")
def test_without_an_evidence_store_nothing_begins(
    host: Host, operator: User, approver: User, settings: Settings, tmp_path: Path
) -> None:
    change = approved(host, operator, approver)
    (tmp_path / "full").write_text("not a folder")
    settings.EVIDENCE_DIR = tmp_path / "full" / "evidence"
    change = applied(change)
    assert (change.status, names(host)) == ("approved", names_before())
    assert "Evidence cannot be kept" in change.sentence
    settings.EVIDENCE_DIR = tmp_path / "evidence"
    assert applied(change).status == "completed"


@pytest.mark.req("H56")
def test_an_evidence_store_that_fails_between_claim_and_effect_lets_nothing_begin(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = approved(host, operator, approver)
    monkeypatch.setattr("audits.segments.held", lambda _record: False)
    change = applied(change)
    assert (change.status, names(host)) == ("approved", names_before())


def test_an_audit_that_refuses_the_claim_lets_nothing_begin(
    host: Host, operator: User, approver: User, tmp_path: Path
) -> None:
    change = approved(host, operator, approver)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audits_auditrecord RENAME TO elsewhere")
    try:
        change = applied(change)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO audits_auditrecord")
    assert (change.status, names(host)) == ("approved", names_before())


@pytest.mark.req("H25")
def test_a_call_that_was_not_declared_is_refused(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    at("before_act", lambda *_: spend("prune everything"), step=1)
    change = applied(change)
    assert outcomes(change) == ["failed", "done", "done"]
    assert "did not declare" in Step.objects.get(change=change, position=1).detail


def test_a_call_is_refused_beyond_what_was_declared(host: Host, operator: User, approver: User) -> None:
    change = applied(approved(host, operator, approver, calls=2))
    assert outcomes(change) == ["done", "done", "failed"]
    assert len(names(host)) == 1


def test_outside_of_a_run_nothing_can_be_called() -> None:
    with pytest.raises(Refused, match="no change is being applied"):
        spend("remove")


def test_a_worker_whose_claim_was_taken_makes_no_call(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    at("before_act", lambda *_: Change.objects.update(fencing_token=99), step=2)
    change = applied(change)
    assert change.status == "applying"
    assert outcomes(change) == ["done", "failed", ""]
    assert toy.effects(host) == ["rubbish-1"]


def test_fencing_tokens_only_grow(host: Host, operator: User, approver: User) -> None:
    changes = [approved(host, operator, approver, items=[name]) for name in ("rubbish-1", "rubbish-2", "rubbish-3")]
    tokens = [applied(change).fencing_token for change in changes]
    assert tokens == [1, 2, 3]


def test_a_gate_that_cannot_be_read_is_closed(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)

    def break_down(*_: object) -> None:
        if toy.effects(host):
            raise ZeroDivisionError

    at("before_intent", break_down)
    change = applied(change)
    assert (change.status, outcomes(change)) == ("completed", ["done", "skipped", "skipped"])
    assert "ZeroDivisionError" in Step.objects.get(change=change, position=2).detail


def test_a_secret_in_what_a_host_says_is_not_kept(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)

    def leak(*_: object) -> None:
        raise Problem("toy_500", "refused: PASSWORD=hunter2hunter2")

    at("before_act", leak, step=1)
    applied(change)
    kept = [Step.objects.get(change=change, position=1).detail, find_change(change.pk).sentence]
    kept += AuditRecord.objects.filter(key=str(change.pk)).values_list("payload", flat=True)
    assert "hunter2" not in " ".join(kept)


@pytest.mark.req("X19")
def test_a_database_that_was_restored_replays_no_approval(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    backup = transaction.savepoint()
    assert applied(change).status == "completed"
    transaction.savepoint_rollback(backup)
    toy.sign(host, "rubbish-1", text="rubbish 1\n")
    change = applied(find_change(change.pk))
    assert (change.status, names(host)) == ("awaiting_approval", ["rubbish-1"])
    assert "The evidence store holds records that the database does not" in change.sentence
    assert Approval.objects.get().revoked_at is not None
