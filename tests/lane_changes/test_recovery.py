"""A worker that dies between two steps, or a line that is cut: nothing is lost, and nothing is registered twice."""

import os
import signal
import subprocess
import sys

import pytest

from launchplane.changes.models import Change
from launchplane.changes.requests import find_change
from tests.lane_changes import ways
from tests.lane_changes.place import Place
from tests.lane_changes.ways import People
from tests.lanes.asking import TOKEN
from tests.processes import environment

CREATE, REMOVE, RESTART = "lane.create", "lane.remove", "lane.restart"
CREATION = ("fetch", "ask-token", "configure", "install-unit", "daemon-reload", "enable-now")
REMOVAL = ("stop", "disable", "remove-unit", "daemon-reload", "ask-remove-token", "unconfigure")


def killed(change: Change, place: Place, verb: str, when: str) -> Change:
    """A worker of its own applied it, and was killed at that step."""
    own = {"LAUNCHPLANE_GITHUB_API_URL": place.github.url, "LAUNCHPLANE_GITHUB_TOKEN": TOKEN}
    argv = [sys.executable, "-m", "tests.lane_changes.worker", str(change.pk), verb, when, str(place.dispatch)]
    done = subprocess.run(argv, env=os.environ | environment() | own, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    return find_change(change.pk)


def expected(verbs: tuple[str, ...], verb: str, when: str) -> list[str]:
    """What recovery says of each step. A token that nobody holds any more is of no use, whether it came or not."""
    at = verbs.index(verb)
    of_it = "failed" if verb.startswith("ask") else "skipped" if when == "before" else "done"
    return ["done"] * at + [of_it] + ["skipped"] * (len(verbs) - at - 1)


@pytest.mark.req("X17", "L8", "X11")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "verb",
    [pytest.param(verb, marks=pytest.mark.each_database if verb == "configure" else ()) for verb in CREATION],
)
def test_a_creation_whose_worker_was_killed_is_settled_and_finished_by_the_next_plan(
    transactional_db: None, place: Place, people: People, verb: str, when: str
) -> None:
    change = killed(ways.approved(CREATE, place, people), place, verb, when)
    assert change.status == Change.Status.APPLYING
    posts, orders = place.posts(), place.orders()
    change = ways.recovered(change)
    assert change.status in (Change.Status.FAILED, Change.Status.COMPLETED), change.sentence
    assert list(ways.outcomes(change).values()) == expected(CREATION, verb, when)
    assert (place.posts(), place.orders()) == (posts, orders)
    if change.status == Change.Status.FAILED:
        following = ways.finished(place, people)
        assert following.status == Change.Status.COMPLETED, following.sentence
    assert place.agent_id() == place.runner().id
    assert place.posts().count("POST /_runner/register") == 1


@pytest.mark.req("X17", "L8", "L6")
@pytest.mark.parametrize(
    ("verb", "when"),
    [("stop", "after"), ("remove-unit", "after"), ("unconfigure", "before"), ("unconfigure", "after")],
)
def test_a_removal_whose_worker_was_killed_is_settled_and_finished_by_the_next_plan(
    transactional_db: None, place: Place, people: People, verb: str, when: str
) -> None:
    place.runs()
    change = killed(ways.approved(REMOVE, place, people), place, verb, when)
    change = ways.recovered(change)
    assert list(ways.outcomes(change).values()) == expected(REMOVAL, verb, when)
    if change.status == Change.Status.FAILED:
        assert ways.applied(REMOVE, place, people).status == Change.Status.COMPLETED
    assert (place.namesakes(), place.agent_id()) == ([], None)


@pytest.mark.req("X17")
def test_a_cut_line_after_the_deed_is_seen_by_looking_and_the_run_goes_on(place: Place, people: People) -> None:
    place.cut("configure", "after")
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert "Looked again: Registered as runner" in ways.detail(change, "configure")
    assert place.posts().count("POST /_runner/register") == 1


@pytest.mark.req("X17")
@pytest.mark.parametrize("verb", ["fetch", "configure", "install-or-update-unit", "enable-now"])
def test_a_line_that_was_cut_before_the_deed_leaves_it_in_doubt_until_the_host_is_held_anew(
    place: Place, people: People, verb: str
) -> None:
    place.cut(verb, "before")
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.IN_DOUBT
    change = ways.recovered(change)
    assert change.status == Change.Status.FAILED
    step = {"install-or-update-unit": "install-unit"}.get(verb, verb)
    assert ways.outcomes(change)[step] == "skipped"
    assert ways.finished(place, people).status == Change.Status.COMPLETED
    assert place.posts().count("POST /_runner/register") == 1


@pytest.mark.req("X17")
@pytest.mark.parametrize(("when", "outcome"), [("after", "done"), ("before", "skipped")])
def test_a_restart_that_nobody_answered_for_is_seen_by_its_process(
    place: Place, people: People, when: str, outcome: str
) -> None:
    place.runs()
    place.cut("restart", "after" if when == "after" else "before")
    change = ways.applied(RESTART, place, people)
    if when == "before":
        assert change.status == Change.Status.IN_DOUBT
        change = ways.recovered(change)
    assert ways.outcomes(change) == {"restart": outcome}
    assert change.status == (Change.Status.COMPLETED if when == "after" else Change.Status.FAILED)


@pytest.mark.req("X17")
def test_a_host_that_is_out_of_reach_stays_in_doubt_until_it_answers(place: Place, people: People) -> None:
    place.cut("configure", "after")
    hidden = place.dispatch.with_name("hidden")
    place.github.meanwhile(r"POST /_runner/register", lambda: place.dispatch.rename(hidden))
    change = ways.applied(CREATE, place, people)
    assert change.status == Change.Status.IN_DOUBT
    assert ways.recovered(change).status == Change.Status.IN_DOUBT
    hidden.rename(place.dispatch)
    change = ways.recovered(change)
    assert ways.outcomes(change)["configure"] == "done"
    assert place.agent_id() == place.runner().id
