"""What can be on record of lanes, and what the database itself refuses."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from lanes.models import Lane, LaneGrant
from tests.factories import a_person, allow
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import wanted

pytestmark = pytest.mark.django_db
OTHERS = {"name": "another", "service_user": "lane-other", "agent_id": None}


@pytest.mark.req("M10", "M13")
def test_a_record_says_all_that_a_lane_should_be() -> None:
    assert a_lane(a_lane_host()).as_desired() == wanted()


@pytest.mark.req("M28", "M36")
@pytest.mark.parametrize("name", ["cm-website-chris-testing", "CM-Website-Chris-Testing"])
def test_a_name_is_there_once_over_all_hosts_in_whatever_case(name: str) -> None:
    a_lane(a_lane_host())
    other = a_lane_host("other")
    with pytest.raises(IntegrityError), transaction.atomic():
        a_lane(other, name=name)


@pytest.mark.req("M29")
def test_two_lanes_of_a_host_have_two_users() -> None:
    host = a_lane_host()
    a_lane(host)
    with pytest.raises(IntegrityError), transaction.atomic():
        a_lane(host, name="another")
    assert a_lane(host, **OTHERS).pk
    assert a_lane(a_lane_host("other"), name="third").pk


@pytest.mark.req("L3")
def test_a_scope_is_granted_to_a_host_once_in_whatever_case() -> None:
    host = a_lane_host()
    a_grant(host)
    with pytest.raises(IntegrityError), transaction.atomic():
        a_grant(host, scope="CBusillo/Odoo-Tenant-CM-Website")
    assert a_grant(a_lane_host("other")).pk


def test_an_agent_id_is_a_number_from_one() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        a_lane(a_lane_host(), agent_id=0)


@pytest.mark.req("M31")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../etc"),
        ("name", "Capital"),
        ("name", "a\n"),
        ("name", "a" * 65),
        ("name", ""),
        ("scope", "owner/../repo"),
        ("scope", "owner/repo/more"),
        ("scope", "owner/repo.git"),
        ("registration_root", "srv/runners"),
        ("registration_root", "/srv/%n"),
        ("registration_root", "/srv/../etc"),
        ("registration_root", "/srv//runners"),
        ("service_user", "root"),
        ("service_user", "a b"),
        ("labels", []),
        ("labels", "one"),
        ("labels", ["one", 2]),
        ("labels", ["one,two"]),
        ("labels", ["one", "ONE"]),
        ("labels", [f"label-{number}" for number in range(21)]),
        ("runner_version_policy", "newest"),
    ],
)
def test_what_is_not_plainly_safe_is_refused(field: str, value: object) -> None:
    lane = a_lane(a_lane_host())
    setattr(lane, field, value)
    with pytest.raises(ValidationError) as refused:
        lane.full_clean()
    assert set(refused.value.message_dict) == {field}


@pytest.mark.parametrize("name", ["no such", "a\0b", "../x", "A"])
def test_what_is_no_name_is_nobody_s(name: str) -> None:
    assert not Lane.objects.called(name).exists()


def test_who_may_not_see_the_host_sees_no_lane_of_it() -> None:
    host, hidden = a_lane_host(), a_lane_host("hidden")
    lane = a_lane(host)
    a_lane(hidden, **OTHERS)
    guest = a_person("guest", group="")
    allow(guest, "hosts.view_host", host)
    assert list(Lane.objects.seen_by(guest)) == [lane]
    assert Lane.objects.seen_by(a_person("boss")).count() == 2
    assert not Lane.objects.seen_by(AnonymousUser()).exists()
    assert not Lane.objects.seen_by(guest).called("another").exists()


def test_a_grant_says_how_many() -> None:
    grant = a_grant(a_lane_host(), max_lanes=3).as_grant()
    assert (grant.host_name, grant.max_lanes) == ("chris-testing", 3)
    assert str(LaneGrant.objects.get()).endswith("3 at most")
