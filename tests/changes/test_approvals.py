"""Who may say yes to what: one door, one plan, another person."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import OrmQ
from guardian.shortcuts import assign_perm
from pytest_django import Settings

from audits.models import AuditRecord
from launchplane.access.acting import acting_as
from launchplane.access.models import User
from launchplane.access.people import NOBODY, WORKER, Principal
from launchplane.changes.apply import apply_change
from launchplane.changes.approvals import approve, reject, revoke
from launchplane.changes.models import Approval, Change
from launchplane.changes.requests import cancel, expire_due, find_change, request_change
from launchplane.hosts.models import Host
from launchplane.problems import Refused
from tests.changes import toy
from tests.changes.ways import approved, decided, names, outcomes, person, planned, requested, told
from tests.factories import PASSWORD, a_person, allow
from tests.shell import manage


def refusal(act: Callable[[], object]) -> str:
    """The code of the refusal that `act` meets."""
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def denials(change: Change) -> list[str]:
    return [kind for kind, _status in told(change) if kind == "change.denied"]


@pytest.mark.req("H26")
def test_approving_queues_the_change_for_the_workers_that_do_nothing_else(
    host: Host, operator: User, approver: User
) -> None:
    change = approved(host, operator, approver)
    assert [(task.key, task.task["args"]) for task in OrmQ.objects.all()] == [("apply", (str(change.pk),))]
    assert (change.status, toy.effects(host)) == ("approved", [])
    assert change.deadline is not None
    assert timedelta(hours=3, minutes=59) < change.deadline - timezone.now() <= timedelta(hours=4)


def test_a_request_for_later_waits_for_an_order(host: Host, operator: User, approver: User) -> None:
    change = request_change(planned(host, operator), by=person(operator), reason="tonight", apply_at_once=False)
    decided(change, approver)
    assert OrmQ.objects.count() == 0
    assert find_change(change.pk).next_try_at is None


@pytest.mark.req("X2")
def test_nobody_approves_an_own_request(host: Host, operator: User) -> None:
    operator.groups.add(Group.objects.get(name="Approvers"))
    change = requested(host, operator)
    assert refusal(lambda: decided(change, operator)) == "self_approval"
    assert denials(change) == ["change.denied"]
    assert find_change(change.pk).status == "awaiting_approval"


@pytest.mark.req("X2")
def test_a_superuser_does_not_approve_an_own_request_either(host: Host, operator: User) -> None:
    root = User.objects.create_superuser("root", password="x")
    change = requested(host, root)
    assert refusal(lambda: decided(change, root)) == "self_approval"


@pytest.mark.req("X2")
def test_whoever_answers_for_the_requester_does_not_approve(host: Host, operator: User, approver: User) -> None:
    token = Principal("token:1", "token ci", "api", user=operator, responsible=(operator, approver))
    change = request_change(planned(host, operator), by=token, reason="nightly")
    assert refusal(lambda: decided(change, approver)) == "self_approval"


@pytest.mark.req("X2")
@pytest.mark.parametrize("source", ["api", "command", "schedule", "worker"])
def test_approving_has_one_door_and_it_is_the_browser(host: Host, operator: User, approver: User, source: str) -> None:
    change = requested(host, operator)
    elsewhere = Principal("elsewhere:1", approver.username, source, user=approver, responsible=(approver,))
    now = timezone.now()
    assert refusal(lambda: approve(change, by=elsewhere, digest=change.digest, reason="x", password_at=now)) == (
        "not_permitted"
    )
    assert denials(change) == ["change.denied"]
    assert find_change(change.pk).status == "awaiting_approval"


@pytest.mark.req("X2")
def test_the_user_behind_a_shell_command_does_not_approve_what_it_asked_for(
    host: Host, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUNCHPLANE_PASSWORD", PASSWORD)
    change = planned(host, operator)
    manage("changes", "request", str(change.pk), "--reason", "disk is full", "--as", operator.username)
    operator.groups.add(Group.objects.get(name="Approvers"))
    change = find_change(change.pk)
    assert (change.status, change.requester) == ("awaiting_approval", operator)
    assert refusal(lambda: decided(change, User.objects.get(pk=operator.pk))) == "self_approval"


@pytest.mark.req("X2")
def test_whoever_planned_counts_as_one_who_asked(host: Host, operator: User, approver: User) -> None:
    approver.groups.add(Group.objects.get(name="Operators"))
    change = planned(host, User.objects.get(pk=approver.pk))
    request_change(change, by=person(operator), reason="a colleague's plan")
    assert refusal(lambda: decided(change, User.objects.get(pk=approver.pk))) == "self_approval"


@pytest.mark.req("X2")
def test_the_database_refuses_an_own_approval_by_itself(host: Host, operator: User) -> None:
    change = requested(host, operator)
    now = timezone.now()
    own = Approval(
        change=change,
        digest=change.digest,
        approver=operator,
        approver_name="operator",
        requester_id=operator.pk,
        reason="",
        granted_at=now,
        expires_at=now,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        own.save()


@pytest.mark.parametrize("what", ["password", "groups", "rights", "object right", "superuser"])
def test_an_account_that_the_requester_touched_lately_does_not_approve(
    host: Host, operator: User, approver: User, what: str
) -> None:
    with acting_as(person(operator)):
        match what:
            case "password":
                approver.set_password("another one")
                approver.save()
            case "groups":
                approver.groups.add(Group.objects.get(name="Auditors"))
            case "rights":
                Group.objects.get(name="Approvers").permissions.clear()
                approver.is_superuser = True
                with acting_as(NOBODY):
                    approver.save()
            case "object right":
                assign_perm("hosts.view_host", approver, host)
            case "superuser":
                approver.is_superuser = True
                approver.save()
    change = requested(host, operator)
    assert refusal(lambda: decided(change, User.objects.get(pk=approver.pk))) == "account_changed"


def test_after_a_day_a_touched_account_approves_again(host: Host, operator: User, approver: User) -> None:
    with acting_as(person(operator)):
        approver.set_password("another one")
        approver.save()
    approver.credential_changes.update(at=timezone.now() - timedelta(hours=25))
    change = requested(host, operator)
    assert decided(change, approver).self_approved is False


def test_another_administrator_may_have_touched_the_account(host: Host, operator: User, approver: User) -> None:
    with acting_as(person(a_person("admin", group=""))):
        approver.set_password("another one")
        approver.save()
    assert decided(requested(host, operator), approver).pk


@pytest.mark.parametrize("minutes", [None, 16, -1])
def test_a_password_must_have_been_given_lately(
    host: Host, operator: User, approver: User, minutes: int | None
) -> None:
    change = requested(host, operator)
    password_at = None if minutes is None else timezone.now() - timedelta(minutes=minutes)
    assert refusal(lambda: decided(change, approver, password_at=password_at)) == "password_needed"


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_an_approval_needs_a_reason(host: Host, operator: User, approver: User, reason: str) -> None:
    change = requested(host, operator)
    assert refusal(lambda: decided(change, approver, reason=reason)) == "reason_missing"


@pytest.mark.req("X1")
def test_another_digest_is_another_plan(host: Host, operator: User, approver: User) -> None:
    one, other = requested(host, operator, items=["rubbish-1"]), planned(host, operator)
    assert refusal(lambda: decided(one, approver, digest=other.digest)) == "wrong_digest"


@pytest.mark.req("X1")
def test_equal_plans_have_different_digests(host: Host, operator: User) -> None:
    one, other = planned(host, operator), planned(host, operator)
    assert one.plan == other.plan
    assert one.digest != other.digest


def test_the_phrase_has_to_be_typed(host: Host, operator: User, approver: User) -> None:
    toy.sign(host, "precious")
    change = requested(host, operator)
    assert refusal(lambda: decided(change, approver, phrase="Remove precious")) == "wrong_phrase"
    assert decided(change, approver, phrase="remove precious").pk


def test_without_the_right_nobody_approves(host: Host, operator: User) -> None:
    change = requested(host, operator)
    assert refusal(lambda: decided(change, a_person("auditor", group="Auditors"))) == "not_permitted"
    assert refusal(lambda: approve(change, by=WORKER, digest=change.digest, reason="x", password_at=None)) == (
        "not_permitted"
    )


def test_a_right_on_one_host_is_enough(host: Host, operator: User) -> None:
    local = a_person("local", group="")
    allow(local, "hosts.approve_change", host)
    assert decided(requested(host, operator), local).pk


def test_somebody_inactive_does_not_approve(host: Host, operator: User, approver: User) -> None:
    User.objects.filter(pk=approver.pk).update(is_active=False)
    approver.refresh_from_db()
    assert refusal(lambda: decided(requested(host, operator), approver)) == "not_permitted"


def test_after_a_day_nobody_approves_any_more(host: Host, operator: User, approver: User) -> None:
    change = requested(host, operator)
    Change.objects.update(deadline=timezone.now())
    assert refusal(lambda: decided(find_change(change.pk), approver)) == "expired"
    assert expire_due() == 1
    change.refresh_from_db()
    assert (change.status, change.why_closed) == ("closed", "expired")


def test_of_two_approvers_at_once_one_is_told(host: Host, operator: User, approver: User) -> None:
    change, same = requested(host, operator), Change.objects.get()
    decided(change, approver)
    assert refusal(lambda: decided(same, a_person("second", group="Approvers"))) == "not_any_more"
    assert Approval.objects.count() == 1


@pytest.mark.req("X1")
def test_a_plan_that_was_altered_after_the_request_is_not_approved(host: Host, operator: User, approver: User) -> None:
    change = requested(host, operator)
    Change.objects.update(plan=change.plan.replace("rubbish-1", "rubbish-9"))
    assert refusal(lambda: decided(find_change(change.pk), approver)) == "plan_altered"


def test_a_plan_that_was_altered_while_it_is_approved_is_not_approved(
    host: Host, operator: User, approver: User
) -> None:
    change = requested(host, operator)
    Change.objects.update(plan=change.plan.replace("rubbish-1", "rubbish-9"))
    assert refusal(lambda: decided(change, approver)) == "not_any_more"


@pytest.mark.req("X1")
def test_a_byte_of_the_plan_changed_after_approval_stops_it(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    Change.objects.update(plan=change.plan.replace("rubbish-1", "warm"))
    change = apply_change(change, by=WORKER)
    assert (change.status, change.why_closed) == ("closed", "stale")
    assert toy.effects(host) == []


@pytest.mark.req("X1")
def test_the_approval_of_one_change_does_not_apply_another(host: Host, operator: User, approver: User) -> None:
    a, b = approved(host, operator, approver, items=["rubbish-1"]), requested(host, operator, items=["rubbish-2"])
    Approval.objects.filter(change=a).update(change=b)
    Change.objects.filter(pk=b.pk).update(status="approved")
    b = apply_change(find_change(b.pk), by=WORKER)
    assert (b.status, toy.effects(host)) == ("awaiting_approval", [])


def test_an_approver_who_lost_the_right_has_not_approved(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    approver.groups.clear()
    change = apply_change(change, by=WORKER)
    assert change.status == "awaiting_approval"
    assert "does not hold any more" in change.sentence
    assert toy.effects(host) == []
    assert decided(change, a_person("second", group="Approvers")).pk


def test_an_expired_approval_is_not_used(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    Change.objects.update(deadline=timezone.now())
    assert refusal(lambda: apply_change(change, by=WORKER)) == "expired"
    Change.objects.update(deadline=timezone.now() + timedelta(hours=1))
    Approval.objects.update(expires_at=timezone.now())
    assert apply_change(change, by=WORKER).status == "awaiting_approval"
    assert toy.effects(host) == []


@pytest.mark.req("X17")
def test_an_approval_is_used_once(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    apply_change(change, by=WORKER)
    assert refusal(lambda: apply_change(change, by=WORKER)) == "not_approved"
    Change.objects.update(status="approved")
    toy.sign(host, "rubbish-1", text="rubbish 1\n")
    assert apply_change(change, by=WORKER).why_closed == "stale"
    assert names(host) == ["rubbish-1"]


def test_an_approval_that_is_revoked_while_queued_is_not_used(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    revoke(change, by=person(approver), reason="wrong night")
    assert refusal(lambda: apply_change(change, by=WORKER)) == "not_approved"
    assert (change.status, toy.effects(host)) == ("awaiting_approval", [])
    assert decided(change, approver).pk


def test_a_rejected_change_is_at_an_end(host: Host, operator: User, approver: User) -> None:
    change = reject(requested(host, operator), by=person(approver), reason="not tonight")
    assert (change.status, change.why_closed, change.sentence) == (
        "closed",
        "rejected",
        "Rejected by approver: not tonight",
    )
    assert refusal(lambda: decided(change, approver)) == "not_awaiting"


def test_the_requester_takes_a_change_back(host: Host, operator: User, approver: User) -> None:
    change = cancel(approved(host, operator, approver), by=person(operator), reason="not needed")
    assert (change.status, change.why_closed) == ("closed", "cancelled")
    assert Approval.objects.get().revoked_at is not None
    assert refusal(lambda: apply_change(change, by=WORKER)) == "not_approved"


def test_a_change_that_runs_cannot_be_taken_back(host: Host, operator: User, approver: User) -> None:
    change = apply_change(approved(host, operator, approver), by=WORKER)
    assert refusal(lambda: cancel(change, by=person(operator), reason="too late")) == "not_open"


@pytest.mark.req("X2")
def test_in_solo_mode_one_person_does_both_and_every_record_says_so(
    host: Host, operator: User, settings: Settings
) -> None:
    settings.SOLO_OPERATOR = True
    operator.groups.add(Group.objects.get(name="Approvers"))
    operator = User.objects.get(pk=operator.pk)
    change = requested(host, operator)
    assert decided(change, operator).self_approved is True
    change = apply_change(find_change(change.pk), by=WORKER)
    assert (change.status, outcomes(change)) == ("completed", ["done", "done", "done"])
    records = AuditRecord.objects.filter(key=str(change.pk)).order_by("seq")
    assert ['"self_approved":true' in record.payload for record in records] == [False, False, True, True, True]


@pytest.mark.req("X2")
def test_without_solo_mode_an_own_approval_does_not_hold_any_more(
    host: Host, operator: User, settings: Settings
) -> None:
    settings.SOLO_OPERATOR = True
    operator.groups.add(Group.objects.get(name="Approvers"))
    operator = User.objects.get(pk=operator.pk)
    change = requested(host, operator)
    decided(change, operator)
    settings.SOLO_OPERATOR = False
    assert apply_change(find_change(change.pk), by=WORKER).status == "awaiting_approval"
    assert toy.effects(host) == []


def test_only_somebody_with_the_right_asks(host: Host, operator: User, approver: User) -> None:
    change = planned(host, operator)
    assert refusal(lambda: request_change(change, by=person(approver), reason="x")) == "not_permitted"
    assert refusal(lambda: request_change(change, by=NOBODY, reason="x")) == "not_permitted"
    assert refusal(lambda: request_change(change, by=person(operator), reason=" ")) == "reason_missing"


def test_a_newer_request_supersedes_one_that_waits(host: Host, operator: User) -> None:
    older = requested(host, operator)
    newer = requested(host, operator)
    older.refresh_from_db()
    assert (older.why_closed, newer.status) == ("superseded", "awaiting_approval")
