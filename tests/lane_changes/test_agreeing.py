"""Which runner is ours goes on record by what two places say together, and never by what was not read."""

from typing import Any

import pytest

from lanes.acts.agreeing import registered, removed
from tests.lanes.scenes import (
    EMPTY_DIRECTORY,
    NO_DIRECTORY,
    OURS,
    a_directory,
    a_listing,
    a_runner,
    seen,
    seen_nothing,
    wanted,
)

NEW = wanted(agent_id=None)
DOWN = {"unmeasured": {"listing": "GitHub is down", "directory": "the host is down"}}


@pytest.mark.req("X11")
def test_both_places_say_the_same() -> None:
    found = registered(NEW, seen())
    assert (found.state, found.agent_id, found.may_change) == ("proven", OURS, False)


@pytest.mark.req("X11", "L13")
@pytest.mark.parametrize(
    ("part", "state"),
    [
        ({"directory": a_directory(**EMPTY_DIRECTORY)}, "none"),
        ({"directory": a_directory(**NO_DIRECTORY)}, "none"),
        ({"directory": a_directory(agent_name="another")}, "refuted"),
        ({"directory": a_directory(github_url="https://github.com/acme/other")}, "refuted"),
        ({"listing": a_listing(a_runner(id=77))}, "refuted"),
        ({"listing": a_listing(a_runner(), a_runner(id=77))}, "refuted"),
        ({"listing": a_listing(a_runner(name="another"))}, "refuted"),
        ({"listing": a_listing()}, "late"),
        ({"listing": a_listing(complete=False)}, "unread"),
        ({"listing": None, **DOWN}, "unread"),
        ({"directory": None, **DOWN}, "unread"),
        ({"directory": a_directory(problem="it is a link")}, "unread"),
        ({"directory": a_directory(agent_id=None)}, "unread"),
    ],
)
def test_anything_less_puts_nothing_on_record(part: dict[str, Any], state: str) -> None:
    found = registered(NEW, seen(**part))
    assert (found.state, found.agent_id) == (state, None)
    assert found.may_change == (state in ("late", "unread"))
    assert found.why.endswith(".")


@pytest.mark.req("X11")
def test_a_name_in_another_case_is_the_same_name() -> None:
    upper = NEW.lane_name.upper()
    found = registered(NEW, seen(listing=a_listing(a_runner(name=upper)), directory=a_directory(agent_name=upper)))
    assert found.agent_id == OURS


@pytest.mark.req("L6")
@pytest.mark.parametrize(
    ("observed", "gone"),
    [
        (seen_nothing(), True),
        (seen_nothing(directory=a_directory(**EMPTY_DIRECTORY)), True),
        (seen_nothing(listing=a_listing(a_runner(id=77))), True),
        (seen(), False),
        (seen_nothing(listing=a_listing(a_runner())), False),
        (seen_nothing(directory=a_directory()), False),
        (seen_nothing(listing=None, **DOWN), None),
        (seen_nothing(directory=None, **DOWN), None),
        (seen_nothing(listing=a_listing(complete=False)), None),
    ],
)
def test_a_registration_is_gone_only_when_both_places_say_so(observed: Any, gone: bool | None) -> None:
    found = removed(wanted(), observed)
    assert found.gone is gone
    assert found.why.endswith(".")
