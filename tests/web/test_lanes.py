"""The pages of lanes: whether each is at work, why not, what comes next; and nothing claimed that nobody saw."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from lanes.models import Lane, LaneContact, LaneDocument
from launchplane.hosts.models import Host
from tests.factories import a_host, a_person, allow
from tests.lanes.looked import looked_at, seen_of
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import (
    LANE,
    STOPPED,
    a_baseline,
    a_listing,
    a_runner,
    a_service,
    seen,
    seen_nothing,
)
from tests.web.reading import text_of
from tests.web.test_doors import assert_strict

PAGE = f"/lanes/{LANE}/"


@pytest.fixture
def lanes_host(db: None) -> Host:
    host = a_lane_host()
    a_grant(host)
    return host


@pytest.fixture
def lane(lanes_host: Host) -> Lane:
    return a_lane(lanes_host)


def read(visitor: Client, address: str = PAGE) -> str:
    response = visitor.get(address)
    assert response.status_code == 200
    assert_strict(response)
    return text_of(response)


def test_a_lane_at_work_has_nothing_to_do(visitor: Client, lane: Lane) -> None:
    looked_at(lane)

    page = read(visitor)

    assert "at work" in page
    assert "It is as its record wants it." in page
    assert "All five are in: product repositories may rely on it." in page
    assert page.count("as wanted") == 7


@pytest.mark.req("X12")
@pytest.mark.parametrize(
    ("different", "cause"),
    [
        (
            {"condition": "registration_expired", "listing": a_listing()},
            "GitHub does not know its registration any more",
        ),
        ({"condition": "version_deprecated"}, "GitHub does not serve the runner’s version any more"),
        ({"condition": "session_conflict"}, "Another process or machine uses the same registration"),
        (
            {"condition": "offline_busy", "listing": a_listing(a_runner(online=False, busy=True))},
            "in the middle of one",
        ),
        (
            {"cause": "It crashed: it ended too often in a short time.", "service": a_service(**STOPPED)},
            "It crashed: it ended too often in a short time.",
        ),
        (
            {"service": a_service(**STOPPED), "unmeasured": {"condition": "The host did not tell its journal"}},
            "What its log says could not be read: The host did not tell its journal.",
        ),
    ],
)
def test_why_it_is_not_at_work_is_said_in_a_sentence(
    visitor: Client, lane: Lane, different: dict[str, Any], cause: str
) -> None:
    looked_at(lane, seen(**different))

    page = read(visitor)

    assert "not at work" in page
    assert cause in page


def test_what_was_not_read_is_not_measured_and_says_why(visitor: Client, lane: Lane) -> None:
    why = "The host chris-testing cannot be reached"
    unread = dict.fromkeys(("directory", "service", "baseline", "control_path"), why)
    looked_at(lane, seen(directory=None, service=None, baseline=None, control_path=None, unmeasured=unread))

    page = read(visitor)

    assert "Whether it is at work was not seen. The host chris-testing cannot be reached." in page
    assert page.count("not measured") == 4
    assert "idle or busy: not known" in page
    assert "not there" not in page


def test_a_lane_that_nobody_looked_at_claims_nothing_and_still_says_what_its_record_lacks(
    visitor: Client, lanes_host: Host
) -> None:
    a_lane(lanes_host, agent_id=None, scope="somebody/else")

    page = read(visitor)

    assert "Nobody has looked at it yet." in page
    assert page.count("not measured") == 7
    assert "somebody/else may have no lanes on chris-testing. Next: Whoever grants lanes can allow" in page


def test_a_look_of_long_ago_is_not_its_state_of_now(visitor: Client, lane: Lane) -> None:
    looked_at(lane, ago=timedelta(hours=5))

    page = read(visitor)

    assert "not looked at lately" in page
    assert "Looked at 5 h ago: at work." in page
    assert "0 of 5 are in." in page
    assert "idle or busy: not known" in page
    assert "Nothing to do" not in read(visitor, "/lanes/")


def test_each_thing_in_the_way_has_its_next_step(visitor: Client, lane: Lane) -> None:
    Host.objects.update(approved=False, lanes_enabled=False)
    looked_at(lane)

    page = read(visitor)

    assert "chris-testing is not approved for changes. Next: Whoever may change the host's settings can" in page
    assert "Lanes are not enabled on chris-testing. Next: Whoever may change the host's settings can enable" in page


def test_what_a_plan_would_do_is_told_by_the_last_look(visitor: Client, lane: Lane) -> None:
    Lane.objects.update(agent_id=None)
    looked_at(lane, seen_nothing())

    page = read(visitor)

    assert "Create lane: Fetches GitHub’s runner, registers it and has systemd run it" in page
    assert "fetch, ask token, configure, install unit, daemon reload, enable now" in page


def test_differences_are_marked(visitor: Client, lane: Lane) -> None:
    looked_at(lane, seen(listing=a_listing(a_runner(labels=("self-hosted", "gpu"))), baseline=a_baseline(disk=False)))

    page = read(visitor)

    assert "Nobody wants: gpu." in page
    assert "disk: disk is not so" in page
    assert page.count("differs") == 2


def test_a_host_can_put_no_markup_and_no_line_on_the_page(visitor: Client, lane: Lane) -> None:
    evil = "<script>alert(1)</script>\n\u202eevil"
    looked_at(
        lane, seen(service=a_service(sub_state=evil, exec_start=evil), baseline=None, unmeasured={"baseline": evil})
    )

    response = visitor.get(PAGE)

    assert_strict(response)
    assert "<script>alert" not in response.content.decode()
    assert "\u202e" not in response.content.decode()


def test_spans_online_and_offline_are_told(visitor: Client, lane: Lane) -> None:
    now = timezone.now()
    LaneContact.objects.create(lane=lane, online=True, since=now - timedelta(hours=30), until=now)

    assert "UTC 30 h" in read(visitor)


def test_a_look_that_is_damaged_says_so(visitor: Client, lane: Lane) -> None:
    looked_at(lane)
    LaneDocument.objects.update(compressed=b"torn")

    assert "What was stored of the last look is damaged. Look at it again." in read(visitor)
    assert LANE in read(visitor, "/lanes/")


@pytest.mark.parametrize("number", [1, 12])
def test_the_lists_make_the_same_queries_for_one_lane_and_for_twelve(
    visitor: Client, lanes_host: Host, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for each in range(1, number + 1):
        lane = a_lane(lanes_host, name=f"lane-{each}", service_user=f"user-{each}", agent_id=each)
        looked_at(lane, seen_of(lane))
    with django_assert_num_queries(LIST_QUERIES):
        visitor.get("/lanes/")
    with django_assert_num_queries(TAB_QUERIES):
        visitor.get("/hosts/chris-testing/lanes/")
    with django_assert_num_queries(PAGE_QUERIES):
        visitor.get("/lanes/lane-1/")


LIST_QUERIES, TAB_QUERIES, PAGE_QUERIES = 12, 18, 15


def test_an_empty_list_says_what_to_do_first(visitor: Client) -> None:
    page = read(visitor, "/lanes/")

    assert "No lane yet." in page
    assert "manage.py hosts check NAME" in page


def test_a_host_without_lanes_says_what_it_takes_there(visitor: Client, db: None) -> None:
    a_host("bare")

    assert "manage.py hosts check bare" in read(visitor, "/hosts/bare/lanes/")


def test_the_tab_tells_how_many_and_who_may_have_more(visitor: Client, lane: Lane) -> None:
    page = read(visitor, "/hosts/chris-testing/lanes/")

    assert "Lanes 1" in page
    assert f"{lane.scope} 2 lanes at most" in page


def test_the_first_page_counts_lanes_and_names_those_that_are_not_online(visitor: Client, lane: Lane) -> None:
    looked_at(lane)
    other = a_lane(lane.host, name="shop", service_user="lane-other", agent_id=7)
    looked_at(other, seen_of(other, listing=a_listing(a_runner(id=7, name="shop", online=False))))

    page = read(visitor, "/")

    assert "1 of 2 lanes is online at GitHub." in page
    assert "shop offline chris-testing since" in page


def test_online_hours_ago_is_not_online_on_the_first_page(visitor: Client, lane: Lane) -> None:
    looked_at(lane, ago=timedelta(hours=3))

    assert "0 of 1 lanes are online at GitHub." in read(visitor, "/")


@pytest.mark.req("M94")
def test_the_page_of_readiness_says_what_product_repositories_read_and_where(
    visitor: Client, lane: Lane, settings: Settings
) -> None:
    looked_at(lane)

    page = read(visitor, f"{PAGE}readiness/")

    assert "Product repositories may rely on it: all five proofs are in." in page
    asked = f'--cookie "sessionid=$SESSION" {settings.PUBLIC_URL}/v1/lanes/{LANE}/readiness'
    assert f"curl --fail --silent --show-error {asked}" in page


@pytest.mark.parametrize("name", ["a%00b", "%2e%2e", "A", "x" * 300])
def test_an_address_that_can_be_no_lane_is_not_found(visitor: Client, lane: Lane, name: str) -> None:
    assert visitor.get(f"/lanes/{name}/").status_code == 404


@pytest.mark.req("L3")
def test_a_right_for_one_host_shows_just_its_lanes(client: Client, lane: Lane) -> None:
    elsewhere = a_lane_host("elsewhere")
    a_lane(elsewhere, name="another")
    guest = a_person("guest", group="")
    allow(guest, "hosts.view_host", lane.host)
    client.force_login(guest)

    listed = read(client, "/lanes/")

    assert LANE in listed
    assert "another" not in listed
    assert client.get("/lanes/another/").status_code == 404
    assert client.get("/hosts/elsewhere/lanes/").status_code == 404
