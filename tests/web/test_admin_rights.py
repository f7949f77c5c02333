"""The page on which an administrator sees who may do what on a host, and gives and takes rights."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from launchplane.access.models import User
from launchplane.access.rights import may
from launchplane.hosts.models import Host, HostUserObjectPermission
from tests.factories import a_host, a_person, allow
from tests.web.reading import text_of
from tests.web.test_doors import assert_strict

APPROVE = "hosts.approve_change"


@pytest.fixture
def host(db: None) -> Host:
    return a_host()


@pytest.fixture
def admin(db: None) -> User:
    boss = a_person("admin", group="")
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    return boss


@pytest.fixture
def ann(db: None) -> User:
    return a_person("ann")


@pytest.fixture
def window(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def page(host: Host) -> str:
    return f"/admin/hosts/host/{host.pk}/rights/"


def said(window: Client, host: Host, do: str, holder: str, right: str = APPROVE) -> str:
    response = window.post(page(host), {"do": do, "holder": holder, "right": right}, follow=True)
    return text_of(response)


def test_it_says_who_may_do_what_and_by_what(window: Client, ann: User, host: Host) -> None:
    gone = a_person("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    allow(ann, APPROVE, host)
    allow(gone, APPROVE, host)
    allow(ann, "hosts.freeze_host", a_host("other"))
    text = text_of(window.get(page(host)))
    given, _, everywhere = text.partition("Give a right on chris-testing")
    assert "ann approve changes of host Take gone may not log in approve changes of host Take" in given
    assert "freeze" not in given
    assert "admin everything, as a superuser" in everywhere
    assert "group Operators ann change host · view host · observe host now" in everywhere


def test_it_is_reached_from_the_host_s_settings(window: Client, host: Host) -> None:
    assert page(host) in window.get(f"/admin/hosts/host/{host.pk}/change/").content.decode()


def test_a_right_is_given_and_taken(window: Client, ann: User, host: Host) -> None:
    assert "Given to ann on chris-testing: approve changes of host." in said(window, host, "give", f"user:{ann.pk}")
    assert may(User.objects.get(pk=ann.pk), APPROVE, host)
    assert "ann had this right on chris-testing before." in said(window, host, "give", f"user:{ann.pk}")
    assert "Taken from ann on chris-testing" in said(window, host, "take", f"user:{ann.pk}")
    assert not may(User.objects.get(pk=ann.pk), APPROVE, host)
    assert "ann did not have this right on chris-testing." in said(window, host, "take", f"user:{ann.pk}")


def test_a_group_is_given_a_right_too(window: Client, ann: User, host: Host) -> None:
    group = Group.objects.get(name="Operators")
    assert "Given to group Operators on chris-testing: approve changes of host." in said(
        window, host, "give", f"group:{group.pk}"
    )
    assert may(User.objects.get(pk=ann.pk), APPROVE, host)


@pytest.mark.parametrize("group", [False, True])
def test_it_says_when_a_right_is_of_no_use_without_seeing_the_host(window: Client, host: Host, group: bool) -> None:
    blind = a_person("blind", group="")
    nobody = Group.objects.create(name="Blind")
    holder = f"group:{nobody.pk}" if group else f"user:{blind.pk}"
    assert "cannot see chris-testing" in said(window, host, "give", holder)
    assert "cannot see" not in said(window, host, "give", holder, "hosts.view_host")


@pytest.mark.parametrize("holder", ["", "user:999999", "user:x", "nonsense"])
def test_somebody_who_is_not_there_is_refused_and_the_choice_of_right_is_kept(
    window: Client, host: Host, holder: str
) -> None:
    response = window.post(page(host), {"do": "give", "holder": holder, "right": APPROVE})
    assert response.status_code == 400
    assert f'<option value="{APPROVE}" selected>' in response.content.decode()


def test_a_right_that_is_none_on_a_host_is_refused(window: Client, ann: User, host: Host) -> None:
    typed = {"do": "give", "holder": f"user:{ann.pk}", "right": "hosts.delete_host"}
    assert window.post(page(host), typed).status_code == 400
    assert not HostUserObjectPermission.objects.exists()


def test_who_may_not_manage_access_sees_why_and_nothing_else(client: Client, ann: User, host: Host) -> None:
    client.force_login(ann)
    for response in (client.get(page(host)), client.post(page(host), {"do": "give", "holder": "", "right": APPROVE})):
        assert response.status_code == 403
        assert "is for those with the right “Can give and take rights on host”" in text_of(response)
    assert page(host) not in client.get(f"/admin/hosts/host/{host.pk}/change/").content.decode()


def test_a_refusal_is_told_on_the_page(client: Client, ann: User, host: Host) -> None:
    allow(ann, "hosts.manage_access", host)
    client.force_login(ann)
    response = client.post(page(host), {"do": "give", "holder": f"user:{ann.pk}", "right": APPROVE})
    assert response.status_code == 403
    assert "Nobody gives a right to themselves" in text_of(response)
    assert not HostUserObjectPermission.objects.filter(permission__codename="approve_change").exists()


def test_a_host_that_is_hidden_or_missing_is_not_found(client: Client, host: Host) -> None:
    a_host("seen")
    guest = a_person("guest", group="")
    allow(guest, "hosts.manage_access", Host.objects.get(name="seen"))
    client.force_login(guest)
    for key in (host.pk, 999999, "x"):
        assert client.get(f"/admin/hosts/host/{key}/rights/").status_code == 404


def test_it_holds_the_policy(window: Client, host: Host) -> None:
    assert_strict(window.get(page(host)))


def test_it_asks_as_often_for_fifty_people_as_for_one(window: Client, ann: User, host: Host) -> None:
    allow(ann, APPROVE, host)
    window.get(page(host))
    with CaptureQueriesContext(
        connection,
    ) as few:
        window.get(page(host))
    for number in range(50):
        group = Group.objects.create(name=f"group {number}")
        person = a_person(f"person-{number}", group=group.name)
        allow(person, APPROVE, host)
        allow(group, APPROVE, host)
    with CaptureQueriesContext(connection) as many:
        window.get(page(host))
    assert len(many) == len(few) + 1  # the members of groups are asked for once, if there are groups
