"""The claim: exactly this plan, one worker, an approval that holds now, and nothing else is given back."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes import claim as claims
from launchplane.changes import finish, lock
from launchplane.changes.apply import apply_change
from launchplane.changes.approvals import revoke
from launchplane.changes.claim import Evaporated, claim
from launchplane.changes.models import Approval, Change, StandingApproval
from launchplane.changes.requests import expire_due, find_change
from launchplane.changes.states import Moved
from launchplane.changes.tick import queue_due
from launchplane.hosts.models import Host
from launchplane.problems import Waits
from tests.changes import toy
from tests.changes.test_approvals import refusal
from tests.changes.test_standing import routine
from tests.changes.ways import approved, decided, granted, names, person, requested, standing_request, told
from tests.factories import a_person


def test_a_claim_that_looked_before_another_was_faster_gets_nothing(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    slow = find_change(change.pk)
    claim(find_change(change.pk), by=WORKER)
    with pytest.raises(Moved):
        claim(slow, by=WORKER)
    assert [kind for kind, _status in told(change)].count(toy.ONCE) == 2


@pytest.mark.req("X1")
def test_a_plan_that_is_altered_between_look_and_claim_is_not_claimed(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    looked = find_change(change.pk)
    Change.objects.update(plan=change.plan.replace("rubbish-1", "warm"))
    with pytest.raises(Moved):
        claim(looked, by=WORKER)
    assert Approval.objects.get().consumed_at is None


@pytest.mark.req("X1")
def test_what_runs_is_what_was_looked_at_even_if_the_row_is_altered_after_the_claim(
    host: Host, operator: User, approver: User
) -> None:
    mine = claim(approved(host, operator, approver), by=WORKER)
    Change.objects.update(plan=mine.change.plan.replace("rubbish-1", "warm"))
    assert mine.plan.steps[0].target == "rubbish-1"


def test_an_approval_of_another_digest_is_none(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    Approval.objects.update(digest="0" * 64)
    assert apply_change(change, by=WORKER).status == "awaiting_approval"
    assert toy.effects(host) == []


def test_an_approval_that_was_taken_back_is_none_whatever_the_status_says(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    revoke(change, by=person(approver), reason="doubts")
    Change.objects.update(status="approved")
    assert apply_change(find_change(change.pk), by=WORKER).status == "awaiting_approval"
    assert toy.effects(host) == []


@pytest.mark.req("X2")
def test_a_deadline_of_exactly_now_is_over(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = approved(host, operator, approver)
    monkeypatch.setattr(timezone, "now", lambda: change.deadline)
    assert refusal(lambda: apply_change(change, by=WORKER)) == "expired"
    assert (queue_due(), expire_due()) == (0, 1)
    assert find_change(change.pk).why_closed == "expired"


def test_a_moment_before_its_deadline_it_still_runs(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = approved(host, operator, approver)
    assert change.deadline is not None
    moment = change.deadline - timedelta(microseconds=1)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert apply_change(change, by=WORKER).status == "completed"


def test_a_clock_that_went_back_makes_no_password_recent(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, given = requested(host, operator), timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: given - timedelta(hours=1))
    assert refusal(lambda: decided(change, approver, password_at=given)) == "password_needed"


@pytest.fixture
def released(host: Host, operator: User, approver: User) -> Change:
    """A change that was claimed, whose gates were closed, and whose approval is as good as new."""
    toy.sign(host, "closed")
    change = apply_change(approved(host, operator, approver), by=WORKER)
    toy.sign(host, "closed", there=False)
    assert (change.status, Approval.objects.get().consumed_at) == ("approved", None)
    return change


def test_what_was_put_off_can_still_be_taken_back(released: Change, approver: User, host: Host) -> None:
    revoke(released, by=person(approver), reason="doubts")
    assert refusal(lambda: apply_change(released, by=WORKER)) == "not_approved"
    assert toy.effects(host) == []


def test_putting_off_gives_back_only_what_this_claim_took(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    revoke(change, by=person(approver), reason="doubts")
    decided(find_change(change.pk), a_person("second", group="Approvers"))
    toy.sign(host, "closed")
    apply_change(find_change(change.pk), by=WORKER)
    states = Approval.objects.order_by("pk").values_list("approver_name", "consumed_at", "revoked_at")
    assert [(name, consumed, revoked is not None) for name, consumed, revoked in states] == [
        ("approver", None, True),
        ("second", None, False),
    ]


def test_putting_off_does_not_revive_an_approval_whose_time_ran_out_meanwhile(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    mine = claim(change, by=WORKER)
    Approval.objects.update(expires_at=timezone.now())
    finish.release(mine.change, "a gate", by=WORKER)
    assert Approval.objects.get().consumed_at is not None
    assert apply_change(find_change(change.pk), by=WORKER).status == "awaiting_approval"
    assert toy.effects(host) == []


def test_putting_off_does_not_revive_an_approval_that_another_claim_used(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    mine = claim(change, by=WORKER)
    used_before = timezone.now() - timedelta(hours=1)
    Approval.objects.update(consumed_at=used_before)
    finish.release(mine.change, "a gate", by=WORKER)
    assert Approval.objects.get().consumed_at == used_before


def test_of_two_claims_one_takes_the_host(host: Host, operator: User, approver: User) -> None:
    one = approved(host, operator, approver, items=["rubbish-1"])
    other = approved(host, operator, approver, items=["rubbish-2"])
    claim(one, by=WORKER)
    with pytest.raises(Waits, match="comes first"):
        claim(other, by=WORKER)


def test_the_database_takes_one_holder_if_both_looked_before(
    host: Host, operator: User, approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = approved(host, operator, approver, items=["rubbish-1"])
    other = approved(host, operator, approver, items=["rubbish-2"])
    claim(one, by=WORKER)
    monkeypatch.setattr(claims, "_require_free", lambda _change: None)
    with pytest.raises(lock.HostBusy):
        claim(other, by=WORKER)
    assert find_change(other.pk).status == "approved"


def test_a_standing_approval_of_something_else_covers_no_change(host: Host, operator: User, approver: User) -> None:
    row = granted(standing_request(host, operator), approver)
    change = approved(host, operator, approver)
    Approval.objects.all().delete()
    Change.objects.update(standing=row)
    with pytest.raises(Evaporated):
        claim(find_change(change.pk), by=WORKER)
    assert (find_change(change.pk).why_closed, names(host)) == ("cancelled", ["rubbish-1", "rubbish-2", "rubbish-3"])


def test_a_standing_approval_whose_bounds_were_altered_covers_nothing(
    host: Host, operator: User, approver: User
) -> None:
    row = granted(standing_request(host, operator), approver)
    StandingApproval.objects.update(bounds=row.bounds.replace("0", "-1"))
    assert refusal(lambda: routine(host)) == "bounds_altered"


def test_a_task_that_was_lost_from_the_queue_is_queued_again(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    OrmQ.objects.all().delete()
    assert queue_due() == 0
    Change.objects.update(next_try_at=timezone.now())
    assert queue_due() == 1
    assert [task.task["args"] for task in OrmQ.objects.all()] == [(str(change.pk),)]


def test_a_routine_s_task_that_was_lost_is_queued_again_too(host: Host, operator: User, approver: User) -> None:
    granted(standing_request(host, operator), approver)
    routine(host)
    OrmQ.objects.all().delete()
    change = Change.objects.get()
    assert change.next_try_at is not None
    assert change.deadline is not None
    assert change.next_try_at < change.deadline
    Change.objects.update(next_try_at=timezone.now())
    assert (queue_due(), OrmQ.objects.count()) == (1, 1)


def test_what_was_applied_is_not_applied_again_whatever_the_status_says(
    host: Host, operator: User, approver: User
) -> None:
    granted(standing_request(host, operator), approver)
    routine(host)
    change = apply_change(Change.objects.get(), by=WORKER)
    done = toy.effects(host)
    Change.objects.update(status="approved")
    again = apply_change(find_change(change.pk), by=WORKER)
    assert (again.status, again.why_closed, toy.effects(host)) == ("closed", "stale", done)
    assert [kind for kind, _status in told(change)].count(change.kind) == 3
