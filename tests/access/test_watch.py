"""Every edit of accounts, groups and rights leaves who did it to whom."""

from django.contrib.auth.models import Group, Permission
from django.test import Client
from guardian.shortcuts import assign_perm, remove_perm

from audits.models import AuditRecord
from launchplane.access.acting import acting_as
from launchplane.access.models import CredentialChange, User
from launchplane.access.people import Principal
from launchplane.hosts.models import Host
from tests.factories import PASSWORD


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
