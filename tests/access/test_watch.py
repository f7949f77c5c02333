"""Every edit of accounts, groups and rights leaves who did it to whom."""

import json
from functools import partial

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from guardian.shortcuts import assign_perm, remove_perm

from audits.errors import AuditRefused
from audits.models import AuditRecord
from launchplane.access.acting import acting_as
from launchplane.access.groups import ensure_groups
from launchplane.access.models import CredentialChange, User
from launchplane.access.people import Principal
from launchplane.hosts.models import Host
from tests.factories import PASSWORD, a_person
from tests.refusing import refusing_audit


def noted(user: User) -> list[tuple[str, str]]:
    """What was noted of `user` since the account was made: what, and by whom."""
    rows = CredentialChange.objects.filter(user=user).exclude(by=None).order_by("pk")
    return list(rows.values_list("what", "by_name"))


def last_payload() -> str:
    return AuditRecord.objects.latest("seq").payload


def test_a_person_s_making_is_noted(admin: User) -> None:
    with acting_as(Principal.person(admin, source="web")):
        bob = User.objects.create_user("bob", password=PASSWORD)
    assert noted(bob) == [("created", "admin")]


def test_a_password_is_noted_and_never_shown(admin: User, ann: User) -> None:
    with acting_as(Principal.person(admin, source="web")):
        ann.set_password("something else entirely")
        ann.save()
    assert noted(ann) == [("password", "admin")]
    assert "a password was set" in last_payload()
    assert ann.password not in last_payload()


def test_groups_and_rights_are_noted_from_either_side(admin: User, ann: User) -> None:
    group, right = Group.objects.get(name="Auditors"), Permission.objects.get(codename="freeze_host")
    with acting_as(Principal.person(admin, source="web")):
        ann.groups.add(group)
        group.user_set.remove(ann)
        ann.user_permissions.add(right)
        right.user_set.remove(ann)
        ann.groups.clear()
    assert [what for what, _by in noted(ann)] == ["groups", "groups", "rights", "rights", "groups"]


def test_what_a_group_may_do_is_noted_for_its_members(admin: User, ann: User) -> None:
    with acting_as(Principal.person(admin, source="web")):
        Group.objects.get(name="Operators").permissions.add(Permission.objects.get(codename="approve_change"))
    assert noted(ann) == [("rights", "admin")]
    assert "group Operators: given hosts.approve_change" in last_payload()


def test_a_right_on_one_host_is_noted(admin: User, ann: User) -> None:
    host = Host.objects.create(name="h", engine_id="E")
    with acting_as(Principal.person(admin, source="web")):
        assign_perm("hosts.approve_change", ann, host)
        remove_perm("hosts.approve_change", ann, host)
        assign_perm("hosts.approve_change", Group.objects.get(name="Operators"), host)
    assert noted(ann) == [("rights", "admin")] * 3
    assert "given hosts.approve_change on h" in last_payload()


def test_a_login_is_no_edit(ann: User, client: Client) -> None:
    before = CredentialChange.objects.count()
    assert client.login(username="ann", password=PASSWORD)
    assert CredentialChange.objects.count() == before


def test_whoever_is_logged_in_has_done_it(admin: User, ann: User, client: Client) -> None:
    client.force_login(admin)
    form = {"password1": "another long one indeed", "password2": "another long one indeed"}
    assert client.post(f"/admin/access/user/{ann.pk}/password/", form).status_code == 302
    assert noted(ann) == [("password", "admin")]


def test_deleting_an_account_or_a_group_is_on_record(admin: User, ann: User) -> None:
    ann.delete()
    assert "ann was deleted" in last_payload()
    Group.objects.get(name="Auditors").delete()
    assert "group Auditors was deleted" in last_payload()


def test_outside_any_transaction_too_an_edit_without_its_record_is_not_stored(transactional_db: None) -> None:
    """As at a shell, where nothing but the edit's own transaction holds the two together."""
    ann = a_person("ann", group="")
    ann.set_password("something else entirely")
    ann.is_superuser = True
    with refusing_audit():
        for edit in (ann.save, ann.delete, partial(ann.groups.add, Group.objects.get(name="Operators"))):
            with pytest.raises(AuditRefused):
                edit()
        with pytest.raises(AuditRefused):
            User.objects.create_user("bob")
    ann = User.objects.get()
    assert ann.check_password(PASSWORD)
    assert not ann.is_superuser
    assert not ann.groups.exists()


def test_what_was_before_is_what_was_stored_whatever_this_copy_said(admin: User, ann: User) -> None:
    """Two look at the same account: the second to save undoes the first, and the record says so."""
    stale = User.objects.get(pk=ann.pk)
    ann.email = "ann@example.org"
    ann.save()
    stale.first_name = "Ann"
    stale.save()
    assert json.loads(last_payload())["values"] == {
        "email": {"before": "ann@example.org", "after": ""},
        "first_name": {"before": "", "after": "Ann"},
    }


def test_what_is_saved_is_what_is_told(ann: User) -> None:
    ann.email = "not@saved.example"
    ann.first_name = "Ann"
    ann.save(update_fields=["first_name"])
    assert set(json.loads(last_payload())["values"]) == {"first_name"}


def test_a_person_with_rights_on_a_host_can_be_deleted(ann: User) -> None:
    host = Host.objects.create(name="h", engine_id="E")
    assign_perm("hosts.approve_change", ann, host)
    User.objects.filter(pk=ann.pk).delete()
    connection.check_constraints()
    assert "hosts.approve_change on h" in last_payload()


def test_a_group_that_is_made_or_renamed_is_on_record(ann: User) -> None:
    night = Group.objects.create(name="Night")
    assert "group Night was made" in last_payload()
    night.name = "Late"
    night.save()
    assert "group Night is now called Late" in last_payload()
    before = AuditRecord.objects.count()
    night.save()
    assert AuditRecord.objects.count() == before


def test_what_the_installation_gives_by_itself_is_nobody_s_edit(db: None) -> None:
    Group.objects.get(name="Approvers").delete()
    before = AuditRecord.objects.count()
    ensure_groups()
    assert Group.objects.get(name="Approvers").permissions.filter(codename="approve_change").exists()
    assert AuditRecord.objects.count() == before
