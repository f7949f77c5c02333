"""What of all lanes, grants and listings belongs to one lane's plan."""

import pytest

from lanes.plan.scene import Fleet
from tests.lanes.scenes import HOST, LANE, SCOPE, a_grant, a_host, a_listing, scene, seen, wanted

SECOND = wanted(lane_name="second", service_user="lane-other")


def test_a_lane_is_not_its_own_twin() -> None:
    assert scene(wanted()).twins == ()
    assert scene(wanted()).sharers == ()


@pytest.mark.req("M28")
def test_a_second_row_that_is_equal_is_a_twin() -> None:
    assert scene(wanted(), beside=(wanted(),)).twins == (f"{LANE} of {SCOPE} on {HOST}",)


@pytest.mark.req("M28")
def test_a_lane_that_is_not_on_record_yet_is_held_against_those_that_are() -> None:
    fleet = Fleet([a_host()], [a_grant()], [wanted(), SECOND])
    new = fleet.scene(wanted(agent_id=7), seen())
    assert new.twins == (f"{LANE} of {SCOPE} on {HOST}",)
    assert new.lanes_granted == 3


@pytest.mark.req("L3")
def test_the_lanes_of_a_grant_are_those_of_its_host_and_scope_in_whatever_case() -> None:
    beside = (
        SECOND,
        wanted(lane_name="third", scope=SCOPE.upper()),
        wanted(lane_name="fourth", scope="cbusillo/another"),
        wanted(lane_name="fifth", host_name="another"),
    )
    assert scene(wanted(), beside=beside).lanes_granted == 3


def test_a_listing_is_indexed_once_for_all_lanes_of_its_scope() -> None:
    listing = a_listing()
    fleet = Fleet([a_host()], [a_grant()], [wanted(), SECOND])
    first = fleet.scene(wanted(), seen(listing=listing))
    second = fleet.scene(SECOND, seen(listing=listing))
    assert first.listed is second.listed
    assert first.listed is not None
    assert first.listed.listing is listing


def test_an_equal_listing_of_another_look_has_its_own_index() -> None:
    fleet = Fleet([a_host()], [a_grant()], [wanted()])
    one, other = (fleet.scene(wanted(), seen(listing=a_listing())) for _ in range(2))
    assert one.listed is not other.listed


def test_a_lane_without_a_listing_has_no_index() -> None:
    assert scene(wanted(), seen(listing=None)).listed is None


def test_a_host_that_nobody_told_of_is_no_scene() -> None:
    with pytest.raises(KeyError):
        scene(wanted(host_name="another"))
