"""Freeze in the browser: one click, said on every page, by whoever may."""

import pytest
from django.test import Client
from guardian.shortcuts import assign_perm

from launchplane.access.models import User
from launchplane.changes.models import Freeze
from launchplane.hosts.models import Host
from tests.factories import a_host, a_person
from tests.web.reading import text_of


def turn(client: Client, way: str, host: str = "", reason: str = "the disk is being moved") -> object:
    return client.post("/freeze/", {"turn": way, "host": host, "reason": reason}, follow=True)


def test_everything_is_frozen_and_every_page_says_so_until_it_is_lifted(visitor: Client, host: Host) -> None:
    assert "Everything is frozen: nothing begins" in text_of(turn(visitor, "on"))
    for address in ("/", f"/hosts/{host.name}/", "/changes/", "/standing/"):
        assert "Everything is frozen by operator, just now: the disk is being moved" in text_of(visitor.get(address))
    assert "Everything may go on." in text_of(turn(visitor, "off"))
    assert "is frozen by" not in text_of(visitor.get("/"))
    row = Freeze.objects.get()
    assert (row.by_name, row.lifted_by_name) == ("operator", "operator")


def test_one_host_is_frozen_from_its_own_page(visitor: Client, host: Host) -> None:
    assert "Freeze chris-testing" in text_of(visitor.get(f"/hosts/{host.name}/changes/"))
    assert "chris-testing is frozen: nothing begins" in text_of(turn(visitor, "on", host.name))
    page = text_of(visitor.get(f"/hosts/{host.name}/changes/"))
    assert "Lift the freeze" in page
    assert "Freeze chris-testing" not in page
    turn(visitor, "off", host.name)
    assert not Freeze.objects.filter(lifted_at=None).exists()


@pytest.mark.req("X18")
@pytest.mark.parametrize("scope", ["", "chris-testing"])
def test_one_click_freezes_and_needs_no_words(visitor: Client, host: Host, scope: str) -> None:
    assert "is frozen: nothing begins" in text_of(turn(visitor, "on", scope, reason=" "))
    assert Freeze.objects.get().reason == "No reason was given."


def test_lifting_a_freeze_needs_a_reason(visitor: Client, host: Host) -> None:
    turn(visitor, "on")
    response = visitor.post("/freeze/", {"turn": "off", "host": "", "reason": " "})
    assert response.status_code == 400
    assert "Not done. Say why, in a few words" in text_of(response)
    assert Freeze.objects.filter(lifted_at=None).exists()


def test_what_is_frozen_is_not_offered_again(visitor: Client, host: Host) -> None:
    a_host("other")
    turn(visitor, "on", host.name)
    page = visitor.get("/freeze/").content.decode()
    assert "<option>other</option>" in page
    assert f"<option>{host.name}</option>" not in page
    turn(visitor, "on")
    assert "Freeze everything" not in text_of(visitor.get("/freeze/"))


def test_lifting_what_is_not_frozen_says_so(visitor: Client, host: Host) -> None:
    assert "chris-testing is not frozen." in text_of(turn(visitor, "off", host.name))


@pytest.mark.parametrize("way", ["", "maybe"])
def test_it_is_on_or_off(visitor: Client, way: str) -> None:
    assert visitor.post("/freeze/", {"turn": way, "reason": "x"}).status_code == 404


@pytest.mark.parametrize("scope", ["", "chris-testing"])
def test_without_the_right_it_says_which_one_is_missing(client: Client, host: Host, scope: str) -> None:
    client.force_login(a_person("auditor", group="Auditors"))
    assert "Freezing needs the right" in text_of(client.get("/freeze/"))
    response = client.post("/freeze/", {"turn": "on", "host": scope, "reason": "x"})
    assert response.status_code == 403
    assert "It needs the right “Can freeze host and lift a freeze”." in text_of(response)
    assert not Freeze.objects.exists()


def test_a_right_for_one_host_freezes_that_one_only(client: Client, host: Host) -> None:
    guest = a_person("guest", group="Auditors")
    assign_perm("hosts.freeze_host", guest, host)
    client.force_login(guest)
    assert client.post("/freeze/", {"turn": "on", "host": host.name, "reason": "x"}).status_code == 302
    assert client.post("/freeze/", {"turn": "on", "host": "", "reason": "x"}).status_code == 403


def test_a_freeze_of_a_hidden_host_is_not_told(client: Client, operator: User, host: Host) -> None:
    other = a_host("other")
    Freeze.objects.create(host=host, scope=host.name, by_name="x", reason="secret matter", at=host.added_at)
    guest = a_person("guest", group="")
    assign_perm("hosts.view_host", guest, other)
    client.force_login(guest)
    for address in ("/", "/freeze/"):
        assert "secret matter" not in text_of(client.get(address))
    assert client.post("/freeze/", {"turn": "off", "host": host.name, "reason": "x"}).status_code == 404


def test_its_reason_does_no_harm(visitor: Client, host: Host) -> None:
    turn(visitor, "on", reason="<script>alert(1)</script>\u202e")
    raw = visitor.get("/").content.decode()
    assert "<script>alert" not in raw
    assert "\u202e" not in raw
