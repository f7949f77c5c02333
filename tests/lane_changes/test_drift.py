"""What makes an approved plan of a lane stale, and what is left to the gates."""

from typing import Any

import pytest

from lanes import drift
from lanes.contracts import Observed
from launchplane.changes.contracts import Plan
from tests.lanes.scenes import (
    NO_DIRECTORY,
    NO_SERVICE,
    STOPPED,
    a_directory,
    a_grant,
    a_host,
    a_listing,
    a_runner,
    a_service,
    planned,
    scene,
    seen,
    seen_nothing,
    wanted,
)


def again(plan: Plan) -> Plan:
    """As it comes out of the database."""
    return Plan.model_validate_json(plan.model_dump_json())


def drifted(plan: Plan, observed: Observed, **different: Any) -> tuple[str, ...]:
    record = different.pop("record", drift.desired_in(plan))
    return drift.differences(again(plan), drift.judged(scene(record, observed, **different)))


def creation() -> Plan:
    return planned(wanted(agent_id=None), seen_nothing())


def start() -> Plan:
    return planned(wanted(), seen(service=a_service(**STOPPED), listing=a_listing(a_runner(online=False))))


@pytest.mark.req("X1")
def test_the_same_scene_once_more_is_no_difference() -> None:
    assert drifted(creation(), seen_nothing()) == ()


@pytest.mark.req("X1", "M20")
@pytest.mark.parametrize(
    "now",
    [
        seen_nothing(listing=a_listing(a_runner(id=77))),
        seen_nothing(directory=a_directory(agent_id=77)),
        seen_nothing(service=a_service(ours=False, exec_start="/usr/bin/other")),
        seen_nothing(directory=a_directory(**(NO_DIRECTORY | {"problem": "is a link", "exists": True}))),
    ],
    ids=["a runner of that name", "a registration", "a unit", "a link"],
)
def test_whatever_came_into_being_meanwhile_makes_it_stale(now: Observed) -> None:
    assert drifted(creation(), now)


@pytest.mark.req("X1")
def test_a_lane_that_became_right_by_itself_is_left_alone() -> None:
    (sentence,) = drifted(start(), seen())
    assert "enable-now" in sentence


@pytest.mark.req("X1")
def test_other_labels_than_were_looked_at_make_it_stale() -> None:
    plan = planned(wanted(), seen(listing=a_listing(a_runner(labels=("self-hosted",)))))
    (sentence,) = drifted(plan, seen(listing=a_listing(a_runner(labels=("self-hosted", "odd")))))
    assert sentence == "What must hold before set-labels is not what was planned with."


@pytest.mark.req("X1")
def test_a_record_that_was_edited_makes_it_stale() -> None:
    edited = wanted(agent_id=None, service_user="lane-other")
    assert "Its record has another service user than was planned with." in drifted(
        creation(), seen_nothing(), record=edited
    )


def test_another_machine_makes_it_stale() -> None:
    host = a_host(identity="ANOTHER")
    assert drifted(creation(), seen_nothing(), host=host)[0].startswith("Its host is not the machine")


@pytest.mark.parametrize(
    "now",
    [
        seen(listing=None, unmeasured={"listing": "GitHub is down"}),
        seen(directory=None, unmeasured={"directory": "the host is down"}),
        seen(service=None, unmeasured={"service": "the host is down"}),
    ],
    ids=["GitHub", "directory", "unit"],
)
def test_what_could_not_be_read_makes_nothing_stale(now: Observed) -> None:
    assert drifted(start(), now) == ()
    assert drift.judged(scene(wanted(), now)).unread


@pytest.mark.req("L24")
def test_a_job_that_began_puts_a_removal_off_and_does_not_end_it() -> None:
    removal = planned(wanted(), seen(), operation="remove")
    asked = scene(wanted(), seen(listing=a_listing(a_runner(busy=True))))
    now = drift.judged(scene(wanted(), asked.observed, asked=type(asked.asked)("remove")))
    assert drift.differences(again(removal), now) == ()


@pytest.mark.req("L3")
def test_a_grant_that_was_taken_back_is_a_gates_to_say() -> None:
    now = drift.judged(scene(wanted(agent_id=None), seen_nothing(), grants=(a_grant(scope="acme/other"),)))
    assert drift.differences(again(creation()), now) == ()
    assert [blocker.code for blocker in now.against_record] == ["repository_not_allowed"]


@pytest.mark.req("M65")
def test_a_runner_that_somebody_started_by_hand_makes_it_stale() -> None:
    now = seen(service=a_service(**STOPPED))
    assert drifted(start(), now) == ("GitHub shows it online, and its unit does not run.",)


def test_a_unit_that_is_gone_is_told_by_shape_and_verbs() -> None:
    now = seen(service=a_service(**NO_SERVICE), listing=a_listing(a_runner(online=False)))
    (sentence,) = drifted(start(), now)
    assert sentence.startswith("It was supervised inactive and is github only")
