"""A lane that is partly there: brought to what its record says, with as little as does it."""

import pytest

from lanes.models import Lane
from launchplane.changes.models import Change
from tests.faults import raw
from tests.lane_changes import ways
from tests.lane_changes.place import UNIT, Place
from tests.lane_changes.ways import People
from tests.lanes.scenes import LANE, SCOPE

RECONCILE, ADOPT = "lane.reconcile", "lane.adopt"


@pytest.fixture
def running(place: Place) -> Place:
    place.runs()
    return place


@pytest.mark.req("M16", "M61")
def test_a_lane_that_stands_still_is_started_without_a_token(running: Place, people: People) -> None:
    running.room.manager(services={})
    change = ways.applied(RECONCILE, running, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert ways.outcomes(change) == {"enable-now": "done"}
    assert running.posts() == []


@pytest.mark.req("L13", "X1")
def test_labels_that_somebody_set_meanwhile_are_not_overwritten(running: Place, people: People) -> None:
    running.runner().labels = ["old"]
    change = ways.approved(RECONCILE, running, people)
    running.github.meanwhile(rf"GET .*/runners/{running.runner().id}", lambda: running.runner().labels.append("newer"))
    change = ways.again(change, people)
    assert (change.status, ways.outcomes(change)["set-labels"]) == (Change.Status.FAILED, "raced")
    assert running.runner().labels == ["old", "newer"]


@pytest.mark.req("L8")
def test_labels_whose_answer_was_lost_are_looked_at(running: Place, people: People) -> None:
    running.runner().labels = ["old"]
    lost = running.github.fault(r"PUT .*/labels", raw(b""))
    change = ways.applied(RECONCILE, running, people)
    assert (change.status, ways.outcomes(change)["set-labels"]) == (Change.Status.FAILED, "skipped")
    lost.times = 0
    assert ways.applied(RECONCILE, running, people).status == Change.Status.COMPLETED


@pytest.mark.req("M30", "L5")
def test_a_unit_that_is_not_as_written_is_written_and_the_lane_restarted(running: Place, people: People) -> None:
    running.room.unit().write_text(running.room.unit().read_text().replace("RestartSec=30", "RestartSec=1"))
    running.room.manager(loaded={UNIT: running.room.unit().read_text()})
    change = ways.applied(RECONCILE, running, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert ways.outcomes(change) == {"install-unit": "done", "daemon-reload": "done", "restart": "done"}


@pytest.mark.req("X12", "M61")
def test_a_registration_that_github_dropped_is_made_anew(running: Place, people: People) -> None:
    del running.github.runners[running.runner().id]
    change = ways.applied(RECONCILE, running, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert list(ways.outcomes(change))[:3] == ["stop", "unconfigure-here", "fetch"]
    assert running.agent_id() == running.runner().id
    assert running.posts() == ["POST /registration-token", "POST /_runner/register"]


@pytest.mark.req("L6", "M61")
def test_a_registration_whose_directory_is_lost_is_made_anew(place: Place, people: People) -> None:
    ours = place.github.add_runner(SCOPE, LANE)
    Lane.objects.update(agent_id=ours.id)
    change = ways.applied(RECONCILE, place, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert place.posts() == [f"DELETE /{ours.id}", "POST /registration-token", "POST /_runner/register"]
    assert place.agent_id() == place.runner().id != ours.id


@pytest.mark.req("L6")
def test_a_deletion_whose_answer_was_lost_is_looked_at(place: Place, people: People) -> None:
    ours = place.github.add_runner(SCOPE, LANE)
    Lane.objects.update(agent_id=ours.id)
    place.github.fault(r"DELETE .*", raw(b""))
    change = ways.applied(RECONCILE, place, people)
    assert (change.status, ways.outcomes(change)["remove-registration"]) == (Change.Status.FAILED, "skipped")
    assert (place.namesakes(), place.agent_id()) == ([ours], ours.id)


@pytest.mark.req("M16", "M19")
def test_a_registered_lane_without_a_unit_is_supervised_without_a_token(running: Place, people: People) -> None:
    running.room.unit().unlink()
    running.room.manager(loaded={}, enabled=[], services={})
    change = ways.applied(ADOPT, running, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert list(ways.outcomes(change)) == ["install-unit", "daemon-reload", "enable-now"]
    assert running.posts() == []
