"""People and groups in the settings: what somebody who may edit people, but is no superuser, cannot do."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from launchplane.access.models import User
from tests.factories import a_person
from tests.web.reading import text_of

NEW = {"password1": "a wholly new one", "password2": "a wholly new one"}


@pytest.fixture
def clerk(db: None) -> User:
    """May edit people, and is no superuser."""
    person = a_person("clerk", group="")
    rights = Permission.objects.filter(content_type__app_label="access", content_type__model="user")
    person.user_permissions.set(rights)
    return person


@pytest.fixture
def boss(db: None) -> User:
    boss = a_person("boss", group="")
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    return boss


@pytest.fixture
def window(client: Client, clerk: User) -> Client:
    client.force_login(clerk)
    return client


def account(user: User, **changed: Any) -> dict[str, Any]:
    return {"username": user.username, "is_active": "on", "is_staff": "on", **changed}


def change(window: Client, user: User, **changed: Any) -> User:
    assert window.post(f"/admin/access/user/{user.pk}/change/", account(user, **changed)).status_code == 302
    return User.objects.get(pk=user.pk)


def test_a_clerk_makes_nobody_a_superuser_and_gives_nobody_a_right(window: Client, clerk: User) -> None:
    ann = a_person("ann")
    right = Permission.objects.get(codename="approve_change")
    for user in (ann, clerk):
        changed = change(window, user, is_superuser="on", user_permissions=[right.pk], first_name="New")
        assert changed.first_name == "New"
        assert not changed.is_superuser
        assert right not in changed.user_permissions.all()


def test_a_clerk_joins_no_group(window: Client, clerk: User) -> None:
    approvers = Group.objects.get(name="Approvers")
    assert not change(window, clerk, groups=[approvers.pk]).groups.exists()
    assert change(window, a_person("ann"), groups=[approvers.pk]).groups.get() == approvers


def test_a_clerk_does_not_touch_a_superuser(window: Client, boss: User) -> None:
    before = boss.password
    assert window.post(f"/admin/access/user/{boss.pk}/password/", NEW).status_code == 403
    assert window.post(f"/admin/access/user/{boss.pk}/change/", account(boss, email="x@example.org")).status_code == 403
    assert window.post(f"/admin/access/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    boss.refresh_from_db()
    assert (boss.password, boss.email) == (before, "")


def test_rights_that_mean_nothing_here_are_not_offered(client: Client, boss: User) -> None:
    client.force_login(boss)
    page = text_of(client.get("/admin/auth/group/add/"))
    assert "Can approve changes of host" in page
    assert "log entry" not in page
    assert "Queued" not in page


def test_what_was_changed_of_whose_account_can_be_looked_at_and_not_edited(client: Client, boss: User) -> None:
    ann = a_person("ann")
    client.force_login(boss)
    assert "ann groups changed the first start" in text_of(client.get("/admin/access/credentialchange/"))
    row = ann.credential_changes.first()
    assert row is not None
    address = f"/admin/access/credentialchange/{row.pk}"
    assert client.post(f"{address}/change/", {"by_name": "x"}).status_code == 403
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/access/credentialchange/add/").status_code == 403
