"""How a run ends whatever the host said: told in full, or in counts only, and never held for good."""

import json
from typing import Any

import pytest

from audits import head
from audits.models import AuditRecord
from audits.record import LONGEST_PAYLOAD
from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes.apply import apply_change
from launchplane.changes.contracts import PlannedStep, StepOutcome
from launchplane.changes.marks import LARGEST_EVIDENCE, outcome_fields
from launchplane.changes.models import Change
from launchplane.changes.recover import recover, resolve
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.changes.test_apply import at, last_record
from tests.changes.test_recovery import crashed
from tests.changes.ways import approved, outcomes, person


def saying(monkeypatch: pytest.MonkeyPatch, *, position: int | None = None, **different: Any) -> None:
    """Have the host say this of the item at `position`, or of each, beside doing it."""
    real = toy.ToyRun.act

    def act(self: toy.ToyRun, step: PlannedStep) -> StepOutcome:
        said = real(self, step)
        return said.model_copy(update=different) if position in (None, step.position) else said

    monkeypatch.setattr(toy.ToyRun, "act", act)


def unwritable(change: Change) -> None:
    """More than a record may hold is on the rows of the items, as any earlier version could have left it."""
    text = json.dumps({"said": "x" * LONGEST_PAYLOAD})
    change.steps.update(evidence=text)


@pytest.mark.req("H54")
def test_sizes_whose_sum_cannot_be_written_down_are_not_known(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, freed_bytes=2**53 - 1)
    change = apply_change(approved(host, operator, approver), by=WORKER)
    assert (change.status, change.sentence, change.actual_bytes) == ("completed", "3 done.", None)
    last = last_record(change)
    assert (last["freed_bytes"], last["actual_bytes"], last["disagrees"]) == (None, None, None)
    steps: Any = last["steps"]
    assert [step["freed_bytes"] for step in steps] == [2**53 - 1] * 3


@pytest.mark.req("H54")
def test_a_run_whose_account_cannot_be_written_down_ends_with_counts(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    at("after_effect", lambda *_: unwritable(change), step=3)
    change = apply_change(change, by=WORKER)
    assert (change.status, outcomes(change)) == ("completed", ["done"] * 3)
    last = last_record(change)
    assert (last["outcomes"], last["nothing_changed"]) == ({"done": 3}, False)
    assert (last["not_kept"], "steps" in last) == ("too long", False)
    assert apply_change(approved_again(host, operator, approver), by=WORKER).status == "completed"


def approved_again(host: Host, operator: User, approver: User) -> Change:
    toy.sign(host, "rubbish-9", text="more rubbish")
    return approved(host, operator, approver)


@pytest.mark.req("X17")
def test_a_person_can_always_resolve_what_cannot_be_told_in_full(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    change = crashed_and_unreadable(change, host)
    unwritable(change)
    ended = resolve(change, by=person(User.objects.create_superuser("boss", password="x")), reason="looked myself")
    assert ended.status == "failed"
    assert last_record(ended)["outcomes"] == {"done": 1, "unknown": 1, "skipped": 1}


def crashed_and_unreadable(change: Change, host: Host) -> Change:
    crashed(change, "after_effect", step=2)
    toy.sign(host, "unreadable")
    recover()
    found = find_change(change.pk)
    assert found.status == "in_doubt"
    return found


@pytest.mark.req("H56")
def test_a_store_that_takes_no_record_still_keeps_the_change_from_ending(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = crashed(approved(host, operator, approver), "at_end")

    def refuse(*_: object, **__: object) -> None:
        raise ValueError("the store is broken")

    with monkeypatch.context() as broken:
        broken.setattr(head, "append", refuse)
        assert recover() == 0
    assert find_change(change.pk).status == "applying"
    assert not AuditRecord.objects.filter(key=str(change.pk), kind=toy.ONCE, status="completed").exists()
    assert recover() == 1


@pytest.mark.req("X17")
def test_a_race_lost_at_the_last_item_fails_the_run_after_a_crash_too(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying(monkeypatch, position=3, outcome="raced", detail="Somebody tagged it.")
    change = crashed(approved(host, operator, approver), "at_end")
    recover()
    change = find_change(change.pk)
    assert (change.status, outcomes(change)) == ("failed", ["done", "done", "raced"])
    assert change.sentence.startswith("Stopped: Somebody was faster at item 3: Somebody tagged it. 2 done, 1 raced")


def test_a_lost_race_is_said_once(host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch) -> None:
    saying(monkeypatch, position=2, outcome="raced", detail="Somebody tagged it.")
    change = apply_change(approved(host, operator, approver), by=WORKER)
    assert change.sentence.count("Somebody was faster at item 2: Somebody tagged it.") == 1


def test_what_a_host_says_of_an_item_is_kept_up_to_64_kb() -> None:
    said = StepOutcome(outcome="done", detail="", freed_bytes=None, evidence={"lines": ("x" * 1000,) * 100})
    assert json.loads(str(outcome_fields(said)["evidence"])) == {"not_kept": "too large", "size_bytes": 100311}
    fits = said.model_copy(update={"evidence": {"line": "x" * (LARGEST_EVIDENCE - 11)}})
    assert len(str(outcome_fields(fits)["evidence"])) == LARGEST_EVIDENCE
