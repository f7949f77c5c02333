"""What people take back while a run is on counts from the next item on; what they lift counts at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from launchplane.access.models import User
from launchplane.access.people import NOBODY, WORKER
from launchplane.changes import freeze, news, standing
from launchplane.changes.apply import apply_change
from launchplane.changes.kinds import kind_named
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.requests import find_change
from launchplane.changes.routine import run_routine
from launchplane.changes.tick import queue_due
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.changes.test_apply import at
from tests.changes.ways import a_folder_host, approved, granted, outcomes, person, standing_request, told
from tests.factories import edited


@pytest.fixture
def queued(host: Host, operator: User, approver: User) -> Change:
    """A routine run that waits for its worker."""
    granted(standing_request(host, operator), approver)
    kind = kind_named(toy.ROUTINE)
    assert kind is not None
    run_routine(kind, host)
    return Change.objects.get()


def revoke(approver: User) -> None:
    standing.revoke(StandingApproval.objects.get(), by=person(approver), reason="stop it now")


def suspend(_approver: User) -> None:
    row = StandingApproval.objects.get()
    standing.suspend(row.host, row.kind, "A check failed.")


@pytest.mark.req("P6")
@pytest.mark.parametrize("take_back", [revoke, suspend])
def test_a_standing_approval_taken_back_stops_the_run_at_the_next_item(
    queued: Change, host: Host, approver: User, take_back: Callable[[User], None]
) -> None:
    at("after_effect", lambda *_: take_back(approver), step=1)
    change = apply_change(queued, by=WORKER)
    assert (change.status, outcomes(change)) == ("failed", ["done", "skipped", "skipped"])
    assert toy.effects(host) == ["rubbish-1"]
    assert change.sentence.startswith("Stopped: The standing approval is not in force any more.")


def test_a_standing_approval_taken_back_before_the_first_item_closes_the_change(
    queued: Change, host: Host, approver: User
) -> None:
    at("before_intent", lambda *_: standing.revoke(StandingApproval.objects.get(), by=person(approver), reason="no"))
    assert apply_change(queued, by=WORKER).status == "approved"
    toy.hook[0] = toy.nothing
    change = apply_change(find_change(queued.pk), by=WORKER)
    assert (change.status, change.why_closed, toy.effects(host)) == ("closed", "cancelled", [])
    assert told(change)[-1] == ("change.not_covered", "failed")


@pytest.mark.req("P6")
def test_a_host_that_is_switched_off_stops_the_run_at_the_next_item(host: Host, operator: User, approver: User) -> None:
    at("after_effect", lambda *_: edited(host, approved=False), step=1)
    change = apply_change(approved(host, operator, approver), by=WORKER)
    assert (change.status, outcomes(change)) == ("failed", ["done", "skipped", "skipped"])
    assert change.sentence.startswith("Stopped: chris-testing is not approved for changes any more.")


def test_what_nobody_recorded_stops_the_run_a_second_later(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "AT_MOST_SECONDS", 0.0)
    at("after_effect", lambda *_: Host.objects.update(approved=False), step=1)
    change = apply_change(approved(host, operator, approver), by=WORKER)
    assert (change.status, outcomes(change)) == ("failed", ["done", "skipped", "skipped"])


@pytest.mark.parametrize("everything", [True, False])
def test_lifting_a_freeze_makes_what_waited_due_at_once(
    host: Host, operator: User, approver: User, everything: bool
) -> None:
    change = approved(host, operator, approver)
    freeze.freeze(None if everything else host, by=NOBODY, reason="incident")
    assert apply_change(change, by=WORKER).sentence.startswith("Waits: ")
    assert queue_due() == 0
    freeze.lift(None if everything else host, by=NOBODY, reason="over")
    assert queue_due() == 1


def test_lifting_a_freeze_of_one_host_leaves_the_tries_of_others(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    later = find_change(change.pk).planned_at + timedelta(hours=9)
    Change.objects.filter(pk=change.pk).update(next_try_at=later)
    other = a_folder_host(toy.folder_of(host).with_name("other"), "other")
    freeze.freeze(other, by=NOBODY, reason="incident")
    freeze.lift(other, by=NOBODY, reason="over")
    assert find_change(change.pk).next_try_at == later
