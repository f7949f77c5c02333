"""One person with several accounts gets nothing done alone: who edits accounts can act as each of them (X2)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from launchplane.access.acting import acting_as
from launchplane.access.models import CredentialChange, User
from launchplane.access.people import FIRST_START, NOBODY, WORKER
from launchplane.changes import eyes, standing
from launchplane.changes.apply import apply_change
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from launchplane.problems import Refused
from tests.changes import toy
from tests.changes.ways import decided, granted, person, requested, standing_request
from tests.factories import a_person

pytestmark = pytest.mark.req("X2")


@pytest.fixture
def boss(db: None) -> User:
    return an_administrator("boss")


def an_administrator(name: str) -> User:
    with acting_as(FIRST_START):
        return User.objects.create_superuser(name, password="x")


def puppet(name: str, group: str, *, made_by: User) -> User:
    with acting_as(person(made_by)):
        user = User.objects.create_user(name, password="known to its maker")
        user.groups.add(Group.objects.get(name=group))
    return user


def reset(account: User, *, by: User | None, hours_ago: int = 0) -> None:
    with acting_as(person(by) if by else NOBODY):
        account.set_password(f"set at {timezone.now()}")
        account.save()
    rows = CredentialChange.objects.filter(user=account, by=by)
    rows.update(at=timezone.now() - timedelta(hours=hours_ago))


def why_not(who: User, asked_by: User) -> str:
    try:
        eyes.require_untouched_account(who, {asked_by.pk}, now=timezone.now())
    except Refused as problem:
        return problem.sentence
    return ""


def test_two_accounts_that_one_person_just_made_are_no_two_people(host: Host, boss: User) -> None:
    change = requested(host, puppet("puppet-one", "Operators", made_by=boss))
    with pytest.raises(Refused, match="boss changed the account or rights of puppet-") as refused:
        decided(change, puppet("puppet-two", "Approvers", made_by=boss))
    assert refused.value.code == "account_changed"
    with pytest.raises(Refused):
        apply_change(find_change(change.pk), by=WORKER)
    assert toy.effects(host) == []


def test_a_chain_of_resets_leads_back_to_who_began_it(host: Host, boss: User) -> None:
    middle, approver = an_administrator("middle"), an_administrator("approver")
    reset(middle, by=boss)
    reset(approver, by=middle)
    with pytest.raises(Refused, match=r"(boss, who asked for this|middle),? changed .* so one person could be on both"):
        decided(requested(host, boss), approver)


def test_a_chain_from_the_other_side_does_too(host: Host, boss: User) -> None:
    middle, operator = an_administrator("middle"), a_person()
    reset(middle, by=boss)
    reset(operator, by=middle)
    with pytest.raises(Refused, match="could be on both sides"):
        decided(requested(host, operator), boss)


def test_an_unknown_hand_anywhere_behind_the_approver_counts(host: Host, boss: User, approver: User) -> None:
    reset(boss, by=None)
    reset(approver, by=boss)
    assert "could be on both sides" in why_not(approver, a_person())


def test_a_puppet_s_maker_that_is_gone_could_have_been_anybody(host: Host, boss: User) -> None:
    middle = puppet("middle", "Auditors", made_by=boss)
    operator = puppet("operator", "Operators", made_by=middle)
    middle.delete()
    with pytest.raises(
        Refused, match=r"Somebody who is not known \(middle\) changed the account or rights of operator"
    ):
        decided(requested(host, operator), boss)


def test_standing_approvals_are_neither_granted_nor_resumed_by_a_puppet(host: Host, boss: User, approver: User) -> None:
    one = puppet("puppet-one", "Operators", made_by=boss)
    two = puppet("puppet-two", "Approvers", made_by=boss)
    row = standing_request(host, one)
    with pytest.raises(Refused, match="could be on both sides"):
        granted(row, two)
    row = granted(row, approver)
    standing.suspend(host, row.kind, "a check failed")
    row.refresh_from_db()
    with pytest.raises(Refused, match="could be on both sides"):
        standing.resume(row, by=person(two), reason="fine", password_at=timezone.now())


def test_an_administrator_who_edited_one_side_only_stands_in_nobody_s_way(host: Host, boss: User) -> None:
    operator, approver = a_person(), puppet("approver", "Approvers", made_by=boss)
    assert decided(requested(host, operator), approver)


def test_the_sentence_names_the_edit_that_stands_in_the_way_longest_and_until_when(boss: User, approver: User) -> None:
    operator, other = a_person(), an_administrator("other")
    # two ways from one to the other: that of `other` is open until an edit of 20 hours ago no longer counts
    reset(operator, by=other, hours_ago=1)
    reset(approver, by=other, hours_ago=20)
    reset(operator, by=boss, hours_ago=23)
    reset(approver, by=boss, hours_ago=2)
    said = why_not(approver, operator)
    assert said.startswith("other changed your account or rights within the last 24 hours")
    until = CredentialChange.objects.get(user=approver, by=other).at + timedelta(hours=24)
    assert f"or you, after {until:%Y-%m-%d %H:%M} UTC" in said
    eyes.require_untouched_account(approver, {operator.pk}, now=until)


def test_a_link_of_the_chain_that_is_a_day_old_is_none(boss: User, approver: User) -> None:
    middle = an_administrator("middle")
    reset(middle, by=boss, hours_ago=24)
    reset(approver, by=middle)
    assert why_not(approver, boss) == ""
    assert why_not(approver, middle)
