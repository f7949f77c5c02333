"""What puts a change off is on record once for each reason, however often it is tried."""

from pathlib import Path

import pytest
from django.utils import timezone

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes import freeze, standing
from launchplane.changes.apply import apply_change, apply_queued
from launchplane.changes.models import Approval, Change, StandingApproval
from launchplane.changes.requests import expire_due, find_change
from launchplane.hosts.models import Host
from launchplane.schedule import jobs
from launchplane.schedule.models import Schedule
from launchplane.schedule.tick import adopt, run_job
from tests.changes import toy
from tests.changes.test_standing import routine
from tests.changes.ways import approved, granted, names, outcomes, person, standing_request


def tries(change: Change, times: int) -> Change:
    for _ in range(times):
        change = apply_change(change, by=WORKER)
    return change


def records(change: Change) -> int:
    return AuditRecord.objects.filter(key=str(change.pk)).count()


@pytest.fixture
def put_off(host: Host, operator: User, approver: User) -> Change:
    """A change whose gate is closed, tried once."""
    toy.sign(host, "closed")
    return apply_change(approved(host, operator, approver), by=WORKER)


@pytest.mark.req("P33")
def test_a_gate_that_stays_closed_is_on_record_once(put_off: Change) -> None:
    before = records(put_off)
    change = tries(put_off, 5)
    assert (change.status, change.sentence) == ("approved", "Nothing was done yet. toy: closed is there.")
    assert records(change) == before
    assert change.next_try_at is not None
    assert change.next_try_at > timezone.now()
    assert change.fencing_token == 1


def test_when_it_opens_the_change_is_applied(put_off: Change, host: Host) -> None:
    tries(put_off, 2)
    toy.sign(host, "closed", there=False)
    change = apply_change(put_off, by=WORKER)
    assert (change.status, outcomes(change)) == ("completed", ["done"] * 3)


def test_another_reason_is_on_record_as_well(put_off: Change, host: Host, tmp_path: Path) -> None:
    tries(put_off, 2)
    before = records(put_off)
    toy.sign(host, "closed", there=False)
    toy.folder_of(host).rename(tmp_path / "away")
    change = apply_change(put_off, by=WORKER)
    assert (change.sentence, records(change)) == ("Nothing was done yet. The folder is gone.", before + 2)
    assert records(tries(change, 3)) == before + 2


def test_a_step_s_gate_that_stays_closed_is_on_record_once(host: Host, operator: User, approver: User) -> None:
    toy.sign(host, "closed-step")
    change = apply_change(approved(host, operator, approver), by=WORKER)
    before = records(change)
    assert records(tries(change, 3)) == before
    toy.sign(host, "closed-step", there=False)
    assert apply_change(change, by=WORKER).status == "completed"


def test_a_host_that_changed_meanwhile_closes_it(put_off: Change, host: Host, tmp_path: Path) -> None:
    toy.folder_of(host).rename(tmp_path / "old")
    toy.folder_of(host).mkdir()
    change = apply_change(put_off, by=WORKER)
    assert (change.status, change.why_closed) == ("closed", "stale")


def test_a_gate_that_breaks_down_is_left_to_the_claim(put_off: Change) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError

    before = records(put_off)
    toy.hook[0] = break_down
    assert apply_change(put_off, by=WORKER).status == "approved"
    assert records(put_off) == before + 2


def test_looking_again_uses_no_approval(put_off: Change) -> None:
    tries(put_off, 2)
    assert Approval.objects.get().consumed_at is None


def test_an_approver_who_lost_the_right_is_found_when_the_gate_opens(
    put_off: Change, host: Host, approver: User
) -> None:
    approver.groups.clear()
    tries(put_off, 1)
    toy.sign(host, "closed", there=False)
    assert apply_change(put_off, by=WORKER).status == "awaiting_approval"
    assert len(names(host)) == 3


# --- what a schedule says of the run that it started ---


@pytest.fixture
def queued(host: Host, operator: User, approver: User) -> Change:
    """A routine run that waits for its worker, on a host that has schedules."""
    adopt(host)
    granted(standing_request(host, operator), approver)
    routine(host)
    return Change.objects.get()


def said(host: Host) -> tuple[bool | None, str]:
    row = Schedule.objects.get(host=host, job=toy.ROUTINE)
    return row.last_ok, row.last_sentence


def test_a_schedule_says_that_its_run_waits(queued: Change, host: Host) -> None:
    freeze.freeze(host, by=person(StandingApproval.objects.get().requested_by), reason="incident")
    apply_change(queued, by=WORKER)
    assert said(host) == (True, "Waits: operator froze chris-testing: incident")


def test_a_schedule_says_that_its_run_was_put_off_and_then_done(queued: Change, host: Host) -> None:
    toy.sign(host, "closed")
    tries(queued, 2)
    assert said(host) == (True, "Nothing was done yet. toy: closed is there.")
    toy.sign(host, "closed", there=False)
    apply_change(queued, by=WORKER)
    assert said(host) == (True, "3 done, freed 30 B.")


def test_a_schedule_says_that_its_run_expired(queued: Change, host: Host) -> None:
    Change.objects.update(deadline=timezone.now())
    expire_due()
    ok, sentence = said(host)
    assert (ok, sentence.startswith("It was not applied by ")) == (False, True)


def test_a_schedule_says_that_its_approval_was_ended(queued: Change, host: Host, approver: User) -> None:
    standing.revoke(StandingApproval.objects.get(), by=person(approver), reason="no")
    apply_change(queued, by=WORKER)
    assert said(host) == (False, "The standing approval is not in force any more.")


def test_a_worker_that_was_faster_than_its_schedule_has_the_last_word(
    host: Host, operator: User, approver: User
) -> None:
    adopt(host)
    granted(standing_request(host, operator), approver)

    def queue_and_be_overtaken(host: Host) -> str:
        sentence = routine(host)
        apply_queued(str(Change.objects.get().pk))
        return sentence

    jobs.register(jobs.Job(toy.ROUTINE, "", "* * * * *", starts_enabled=False, run=queue_and_be_overtaken))
    run_job(Schedule.objects.get(host=host, job=toy.ROUTINE).pk)
    assert said(host) == (True, "3 done, freed 30 B.")


def test_a_change_that_people_asked_for_says_nothing_there(host: Host, operator: User, approver: User) -> None:
    adopt(host)
    apply_change(approved(host, operator, approver), by=WORKER)
    assert said(host) == (None, "")
    assert find_change(Change.objects.get().pk).status == "completed"
