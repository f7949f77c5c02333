"""What the three groups may do, and who gave it."""

import pytest
from django.contrib.auth.models import Group, Permission

from audits.models import AuditRecord
from launchplane.access.groups import GROUPS, ensure_groups
from launchplane.access.models import CredentialChange, GivenByDefault, User


def rights_of(group: str) -> set[str]:
    held = Permission.objects.filter(group__name=group).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in held}


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_begins_with_its_rights(db: None, group: str) -> None:
    assert rights_of(group) == set(GROUPS[group])


def test_what_an_administrator_took_stays_taken(db: None) -> None:
    freeze = Permission.objects.get(codename="freeze_host")
    Group.objects.get(name="Operators").permissions.remove(freeze)
    ensure_groups()
    assert rights_of("Operators") == {right for right in GROUPS["Operators"] if right != "hosts.freeze_host"}


def test_what_an_administrator_gave_stays_given(db: None) -> None:
    Group.objects.get(name="Auditors").permissions.add(Permission.objects.get(codename="observe_host"))
    ensure_groups()
    assert "hosts.observe_host" in rights_of("Auditors")


def test_a_right_that_is_new_is_given_once_and_to_nobody_s_disadvantage(db: None, ann: User) -> None:
    """As after an upgrade that brings it: nobody's account was touched by anybody who could count against them."""
    right = Permission.objects.get(codename="observe_host")
    Group.objects.get(name="Operators").permissions.remove(right)
    GivenByDefault.objects.filter(permission=right).delete()
    before = CredentialChange.objects.count(), AuditRecord.objects.count()
    ensure_groups()
    ensure_groups()
    assert "hosts.observe_host" in rights_of("Operators")
    assert CredentialChange.objects.count() == before[0]
    assert AuditRecord.objects.count() == before[1] + 1
    assert "group Operators: given hosts.observe_host by the installation" in AuditRecord.objects.latest("seq").payload
