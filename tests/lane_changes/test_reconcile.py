"""A lane that is partly there: brought to what its record says, with as little as does it."""

from datetime import timedelta

import pytest

from lanes import apply
from lanes.models import Lane
from launchplane.changes.models import Change
from tests.fakes.runner.package import package
from tests.faults import raw
from tests.lane_changes import ways
from tests.lane_changes.place import UNIT, USER, Place
from tests.lane_changes.ways import People
from tests.lanes.scenes import LANE, SCOPE
from tests.onhost.room import USERS, put

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


def deprecated(place: Place) -> None:
    """GitHub does not serve its version any more: its listener has ended with that in its log, and its unit is down."""
    log = place.room.directory() / "_diag" / "Runner_20991231-235959-utc.log"
    said = "An error occured: Runner version v2.337.0 is deprecated and cannot receive messages."
    lines = [f"ERR  Terminal] WRITE ERROR: {said}", "INFO Listener] Runner execution has finished with return code 7"]
    put(log, "".join(f"[2099-12-31 23:59:59Z {line}\n" for line in lines), USERS[USER], mode=0o644)
    place.room.manager(services={})


@pytest.mark.req("X13", "M61")
def test_a_version_that_github_does_not_serve_is_replaced_and_the_registration_stays(
    running: Place, people: People
) -> None:
    before = running.runner().id
    deprecated(running)
    running.github.offer(package("2.338.0"))
    change = ways.approved(RECONCILE, running, people)
    assert [step.verb for step in change.planned().steps] == ["fetch", "enable-now"]
    change = ways.again(change, people)
    assert set(ways.outcomes(change).values()) == {"done"}
    assert (running.room.directory() / "bin" / "version").read_text() == "2.338.0"
    assert running.agent_id() == running.runner().id == before
    assert running.posts() == []


@pytest.mark.req("L24")
def test_a_job_that_begins_while_labels_are_set_is_not_interrupted(
    running: Place, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "JUST_NOW", timedelta(0))
    running.runner().labels = ["old"]
    running.room.unit().write_text(running.room.unit().read_text().replace("RestartSec=30", "RestartSec=1"))
    running.room.manager(loaded={UNIT: running.room.unit().read_text()})
    running.github.meanwhile(r"PUT .*/labels", lambda: setattr(running.runner(), "shows_busy", True))
    change = ways.applied(RECONCILE, running, people)
    assert list(ways.outcomes(change).items())[-1] == ("restart", "skipped")
    assert "not_busy: GitHub shows it busy." in ways.detail(change, "restart")
    assert [order for order in running.orders() if order.startswith(("stop", "restart"))] == []
    # what runs is still what ran before: nobody calls that completed
    assert change.status == Change.Status.FAILED
    assert "step 4, restart" in change.sentence


@pytest.mark.req("M16", "L6")
def test_what_is_left_of_a_lane_that_github_dropped_is_removed_without_a_token(running: Place, people: People) -> None:
    del running.github.runners[running.runner().id]
    change = ways.applied("lane.remove", running, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert list(ways.outcomes(change))[-1] == "unconfigure-here"
    assert (running.posts(), running.agent_id(), running.room.unit().exists()) == ([], None, False)


@pytest.mark.req("M16", "M19")
def test_a_registration_of_ours_gets_its_labels_and_its_unit(running: Place, people: People) -> None:
    running.room.unit().unlink()
    running.room.manager(loaded={}, enabled=[], services={})
    running.runner().labels = ["old"]
    change = ways.applied(ADOPT, running, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert list(ways.outcomes(change)) == ["set-labels", "install-unit", "daemon-reload", "enable-now"]
