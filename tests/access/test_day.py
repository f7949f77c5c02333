"""Whose account was changed by the requester, or by nobody known, does not decide for a day: all ways count."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from launchplane.access.acting import acting_as
from launchplane.access.models import CredentialChange, User
from launchplane.access.people import Principal
from launchplane.changes import eyes
from launchplane.hosts.grants import grant, withdraw
from launchplane.hosts.models import Host
from launchplane.problems import Refused
from launchplane.server.first_start import create_first_accounts
from tests.factories import PASSWORD, a_host, a_person, allow

pytestmark = pytest.mark.req("X2")
Edit = Callable[[Client, User, User, Host], object]
NEW = {"password1": "a wholly new one", "password2": "a wholly new one"}


@pytest.fixture
def approver(db: None) -> User:
    return a_person("approver", group="Approvers")


@pytest.fixture
def host(db: None) -> Host:
    return a_host()


def may_decide(person: User, asked_by: User) -> str:
    """Empty, or why not."""
    try:
        eyes.require_untouched_account(person, {asked_by.pk}, now=timezone.now())
    except Refused as problem:
        assert problem.code == "account_changed"
        return problem.sentence
    return ""


def account(user: User, **changed: str) -> dict[str, str]:
    """The form of a person in the settings."""
    groups = {"groups": [str(pk) for pk in user.groups.values_list("pk", flat=True)]}
    return {"username": user.username, "is_active": "on", "is_staff": "on", **groups, **changed}


def post(client: Client, path: str, form: dict[str, str]) -> None:
    response = client.post(f"/admin/{path}", form)
    assert response.status_code == 302, response.content.decode()


WAYS: dict[str, Edit] = {
    "password": lambda c, _a, u, _h: post(c, f"access/user/{u.pk}/password/", NEW),
    "e-mail": lambda c, _a, u, _h: post(c, f"access/user/{u.pk}/change/", account(u, email="x@example.org")),
    "name": lambda c, _a, u, _h: post(c, f"access/user/{u.pk}/change/", account(u, username="renamed")),
    "superuser": lambda c, _a, u, _h: post(c, f"access/user/{u.pk}/change/", account(u, is_superuser="on")),
    "group": lambda c, _a, u, _h: post(
        c, f"access/user/{u.pk}/change/", account(u, groups=str(Group.objects.get(name="Operators").pk))
    ),
    "group's rights": lambda c, _a, _u, _h: post(
        c,
        f"auth/group/{Group.objects.get(name='Approvers').pk}/change/",
        {"name": "Approvers", "permissions": str(Permission.objects.get(codename="observe_host").pk)},
    ),
    "group deleted": lambda c, _a, _u, _h: post(
        c, f"auth/group/{Group.objects.get(name='Approvers').pk}/delete/", {"post": "yes"}
    ),
    "right given on a host": lambda c, _a, u, h: post(
        c, f"hosts/host/{h.pk}/rights/", {"do": "give", "holder": f"user:{u.pk}", "right": "hosts.freeze_host"}
    ),
    "right given to a group": lambda _c, a, _u, h: grant(
        "hosts.observe_host", to=Group.objects.get(name="Approvers"), host=h, by=Principal.person(a, source="web")
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_whoever_was_edited_by_the_requester_does_not_decide(
    client: Client, admin: User, approver: User, host: Host, way: str
) -> None:
    client.force_login(admin)
    assert may_decide(approver, admin) == ""
    WAYS[way](client, admin, approver, host)
    assert "admin, who asked for this, changed your account or rights within the last 24 hours" in may_decide(
        approver, admin
    )


def test_a_right_that_was_taken_counts_too(admin: User, approver: User, host: Host) -> None:
    allow(approver, "hosts.approve_change", host)
    withdraw("hosts.approve_change", of=approver, host=host, by=Principal.person(admin, source="web"))
    assert may_decide(approver, admin)


def test_for_who_had_no_hand_in_it_the_approver_may_decide(client: Client, admin: User, approver: User) -> None:
    client.force_login(admin)
    post(client, f"access/user/{approver.pk}/password/", NEW)
    assert may_decide(approver, a_person("operator")) == ""


def test_an_account_made_anew_under_the_same_name_is_one_that_was_just_made(
    client: Client, admin: User, approver: User
) -> None:
    client.force_login(admin)
    post(client, f"access/user/{approver.pk}/delete/", {"post": "yes"})
    post(client, "access/user/add/", {"username": "approver", "usable_password": "true", **NEW})
    assert may_decide(User.objects.get(username="approver"), admin)


def test_what_one_changes_oneself_does_not_count(client: Client, approver: User) -> None:
    client.force_login(approver)
    typed = {"old_password": PASSWORD, "new_password1": "a wholly new one", "new_password2": "a wholly new one"}
    assert client.post("/accounts/password/", typed).status_code == 302
    assert may_decide(approver, a_person("operator")) == ""


def test_a_password_set_at_a_shell_was_set_by_nobody_known_and_counts_against_everybody(
    approver: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda **_: "a wholly new one")
    call_command("changepassword", "approver", stdout=StringIO())
    approver.refresh_from_db()
    assert approver.check_password("a wholly new one")
    sentence = may_decide(approver, a_person("operator"))
    assert sentence.startswith("Somebody who is not known (nobody) changed your account or rights")
    until = CredentialChange.objects.filter(user=approver).first()
    assert until is not None
    assert f"after {until.at + timedelta(hours=24):%Y-%m-%d %H:%M} UTC" in sentence


def test_the_editor_s_account_being_gone_makes_the_edit_no_better(client: Client, admin: User, approver: User) -> None:
    client.force_login(admin)
    post(client, f"access/user/{approver.pk}/password/", NEW)
    admin.delete()
    assert "Somebody who is not known (admin)" in may_decide(approver, a_person("operator"))


def test_it_is_over_after_a_day(client: Client, admin: User, approver: User) -> None:
    client.force_login(admin)
    post(client, f"access/user/{approver.pk}/password/", NEW)
    CredentialChange.objects.update(at=timezone.now() - timedelta(hours=24))
    assert may_decide(approver, admin) == ""


def test_whoever_changed_the_requester_s_account_does_not_decide_either(client: Client, admin: User) -> None:
    operator = a_person("operator")
    client.force_login(admin)
    post(client, f"access/user/{operator.pk}/password/", NEW)
    assert "You changed the account or rights of operator, who asked for this," in may_decide(admin, operator)


def test_the_first_accounts_can_work_together_at_once(db: None) -> None:
    create_first_accounts()
    operator, approver = User.objects.get(username="operator"), User.objects.get(username="approver")
    assert may_decide(approver, operator) == ""


def test_a_person_can_not_pass_for_the_first_start(approver: User) -> None:
    """Its name has blanks, which no name of an account may have in any form; and it is compared with nobody's."""
    with acting_as(Principal.person(User.objects.create_user("the first start"), source="web")):
        approver.email = "x@example.org"
        approver.save()
    assert may_decide(approver, User.objects.get(username="the first start"))


def test_in_solo_mode_where_one_person_may_do_both_nothing_is_asked(approver: User, settings: Settings) -> None:
    settings.SOLO_OPERATOR = True
    with acting_as(Principal.person(a_person("operator"), source="web")):
        approver.set_password("a wholly new one")
        approver.save()
    assert may_decide(approver, User.objects.get(username="operator")) == ""
