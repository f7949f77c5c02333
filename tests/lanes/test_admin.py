"""Lanes and grants in the settings: who may edit them, what is refused, and that each edit is on record."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.db.models.signals import post_init
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from audits.models import AuditRecord
from lanes.models import Lane, LaneGrant, LaneSnapshot
from lanes.snapshots import store
from launchplane.changes.models import Change
from launchplane.changes.models.change import HOLDING
from launchplane.hosts.models import Host
from tests.factories import a_person, allow
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import LABELS, LANE, OURS, ROOT, SCOPE, USER, seen
from tests.web.reading import text_of

pytestmark = pytest.mark.django_db
ADD = "/admin/lanes/lane/add/"


@pytest.fixture
def host() -> Host:
    return a_lane_host()


@pytest.fixture
def visitor(client: Client, settings: Settings) -> Client:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    client.force_login(a_person())
    return client


def typed(host: Host, **different: str) -> dict[str, str]:
    return {
        "host": str(host.pk),
        "name": LANE,
        "scope": SCOPE,
        "registration_root": ROOT,
        "service_user": USER,
        "labels": "cm-website",
        "runner_version_policy": "update",
        "managed": "on",
    } | different


def address(lane: Lane, page: str = "change") -> str:
    return f"/admin/lanes/lane/{lane.pk}/{page}/"


@pytest.mark.req("M12", "L12")
def test_the_labels_that_every_lane_has_are_added(visitor: Client, host: Host) -> None:
    assert visitor.post(ADD, typed(host)).status_code == 302
    assert Lane.objects.get().labels == list(LABELS)


def test_a_new_lane_and_a_new_grant_are_on_record(visitor: Client, host: Host) -> None:
    visitor.post(ADD, typed(host))
    visitor.post("/admin/lanes/lanegrant/add/", {"host": str(host.pk), "scope": SCOPE, "max_lanes": "2"})
    lane, grant = AuditRecord.objects.filter(kind__startswith="edit.lane").order_by("seq")
    assert (lane.kind, lane.host, lane.lane) == ("edit.lane", host.name, LANE)
    assert (grant.kind, grant.host, grant.lane) == ("edit.lanegrant", host.name, "")
    assert LaneGrant.objects.get().max_lanes == 2


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("registration_root", "/srv/others", "is not one of the runner roots of chris-testing: /srv/runners."),
        ("service_user", "lane-nobody", "is not one of the service users of chris-testing"),
        ("name", "../etc", "is no usable name"),
        ("scope", "a/b/c", "is neither owner/repository nor an organization"),
        ("labels", "one two", "is no label"),
    ],
)
def test_bad_input_keeps_what_was_typed_and_says_why(
    visitor: Client, host: Host, field: str, value: str, said: str
) -> None:
    response = visitor.post(ADD, typed(host, **{field: value}))
    assert said in text_of(response)
    assert value in response.content.decode()
    assert not Lane.objects.exists()


@pytest.mark.req("M11")
def test_a_lane_that_is_not_managed_is_not_even_added(visitor: Client, host: Host) -> None:
    what = typed(host)
    del what["managed"]
    assert "needs no record" in text_of(visitor.post(ADD, what))


@pytest.mark.req("M28", "M36")
def test_a_second_lane_of_a_name_or_of_a_user_is_refused_with_a_sentence(visitor: Client, host: Host) -> None:
    a_lane(host)
    assert "There is a lane of that name." in text_of(visitor.post(ADD, typed(host, service_user="lane-other")))
    again = visitor.post(ADD, typed(host, name="another"))
    assert "Another lane of this host has that service user." in text_of(again)


@pytest.mark.req("X11")
def test_what_a_registered_runner_is_known_by_cannot_be_edited(visitor: Client, host: Host) -> None:
    lane = a_lane(host)
    edited = typed(host, name="another", scope="other/repository", service_user="lane-other", agent_id="1")
    assert visitor.post(address(lane), edited | {"runner_version_policy": "fixed"}).status_code == 302
    lane.refresh_from_db()
    assert (lane.name, lane.scope, lane.service_user, lane.agent_id) == (LANE, SCOPE, USER, OURS)
    assert lane.runner_version_policy == "fixed"


@pytest.mark.req("L6")
@pytest.mark.parametrize(("agent_id", "status", "left"), [(OURS, 403, 1), (None, 302, 0)])
def test_the_record_of_a_registered_lane_stays(
    visitor: Client, host: Host, agent_id: int | None, status: int, left: int
) -> None:
    lane = a_lane(host, agent_id=agent_id)
    assert visitor.post(address(lane, "delete"), {"post": "yes"}).status_code == status
    assert Lane.objects.count() == left


@pytest.mark.req("L6", "L8")
@pytest.mark.parametrize("status", HOLDING)
def test_a_lane_that_is_being_changed_is_neither_edited_nor_deleted(visitor: Client, host: Host, status: str) -> None:
    lane = a_lane(host, agent_id=None)
    Change.objects.create(
        kind="lane.create", host=host, subject=LANE, status=status, fencing_token=1, planned_at=timezone.now()
    )
    edited = typed(host, service_user="lane-other")
    assert visitor.post(address(lane), edited).status_code == 403
    assert visitor.post(address(lane, "delete"), {"post": "yes"}).status_code == 403
    lane.refresh_from_db()
    assert lane.service_user == USER


def test_an_edit_keeps_the_runner_that_was_registered_while_its_form_was_open(visitor: Client, host: Host) -> None:
    """As when the worker stores it between the form's reading of the record and its writing."""
    lane = a_lane(host, agent_id=None)

    def registered(sender: object, instance: Lane, **_: object) -> None:
        instance.agent_id = None

    Lane.objects.update(agent_id=OURS)
    post_init.connect(registered, sender=Lane)
    try:
        visitor.post(address(lane), typed(host, runner_version_policy="fixed"))
    finally:
        post_init.disconnect(registered, sender=Lane)
    lane.refresh_from_db()
    assert (lane.agent_id, lane.runner_version_policy) == (OURS, "fixed")


def test_what_was_seen_of_a_lane_goes_with_its_record(visitor: Client, host: Host) -> None:
    lane = a_lane(host, agent_id=None)
    store(lane, seen(), asked_by="a test")
    assert visitor.post(address(lane, "delete"), {"post": "yes"}).status_code == 302
    assert not LaneSnapshot.objects.exists()


def test_its_page_is_one_click_away(visitor: Client, host: Host) -> None:
    assert f'href="/lanes/{LANE}/"' in visitor.get(address(a_lane(host))).content.decode()


@pytest.fixture
def guest(client: Client) -> Callable[..., Client]:
    """Somebody who may see these hosts, and edit lanes wherever hosts can be seen."""

    def come(*hosts: Host) -> Client:
        person = a_person("guest", group="")
        person.user_permissions.add(*Permission.objects.filter(codename__in=("view_lane", "change_lane", "add_lane")))
        for host in hosts:
            allow(person, "hosts.view_host", host)
        client.force_login(person)
        return client

    return come


def test_lanes_of_hosts_that_one_may_not_see_are_not_there(guest: Callable[..., Client], host: Host) -> None:
    mine, hidden = a_lane_host("mine"), a_lane(host)
    visitor = guest(mine)
    unseen, absent = visitor.get(address(hidden)), visitor.get("/admin/lanes/lane/987654/change/")
    assert (unseen.status_code, absent.status_code) == (302, 302)
    assert hidden.name not in text_of(visitor.get("/admin/lanes/lane/"))
    assert "Select a valid choice" in text_of(visitor.post(ADD, typed(host, name="another")))


def test_who_may_only_look_edits_no_grant(client: Client, host: Host) -> None:
    client.force_login(a_person("auditor", group="Auditors"))
    where = f"/admin/lanes/lanegrant/{a_grant(host).pk}/change/"
    assert client.get(where).status_code == 200
    assert client.post(where, {"scope": SCOPE, "max_lanes": "99"}).status_code == 403
