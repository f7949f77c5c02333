"""A lane that runs is restarted or removed only when it is proven that no job does, and nothing else is touched."""

import pytest

from lanes.models import Lane
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.faults import raw
from tests.lane_changes import ways
from tests.lane_changes.place import UNIT, Place
from tests.lane_changes.ways import People
from tests.lanes.scenes import LANE, SCOPE
from tests.onhost.room import OTHER

RESTART, REMOVE = "lane.restart", "lane.remove"
OTHER_UNIT = f"launchplane-runner@{OTHER}.service"


def beside(place: Place) -> dict[str, object]:
    """Everything on the host and at GitHub that is not the lane's."""
    told = ("run", "run/manager.json", "var/lib/launchplane/session")
    kept = {name: what for name, what in place.room.contents().items() if LANE not in name and name not in told}
    return kept | {"runners": [runner for runner in place.github.runners.values() if runner.name != LANE]}


@pytest.fixture
def running(place: Place) -> Place:
    """The lane as a creation leaves it: registered, supervised, online."""
    place.runs()
    return place


@pytest.mark.req("L5", "M71", "M91")
def test_an_idle_lane_is_restarted_and_proven(running: Place, people: People) -> None:
    change = ways.applied(RESTART, running, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert ways.outcomes(change) == {"restart": "done"}
    assert running.orders()[-1] == f"restart {UNIT}"
    assert running.posts() == []


@pytest.mark.req("L6", "L13", "M61", "M71", "M91")
def test_a_lane_is_removed_and_nothing_else_is_touched(running: Place, people: People) -> None:
    running.github.add_runner(SCOPE, "an-unmanaged-one", online=True)
    running.room.unit(OTHER).write_text("[Service]\nExecStart=/usr/bin/true\n")
    before = beside(running)
    change = ways.applied(REMOVE, running, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert list(ways.outcomes(change)) == [
        "stop",
        "disable",
        "remove-unit",
        "daemon-reload",
        "ask-remove-token",
        "unconfigure",
    ]
    assert (running.namesakes(), running.agent_id(), running.room.unit().exists()) == ([], None, False)
    assert not (running.room.directory() / ".runner").exists()
    assert [post for post in running.posts() if "remove" not in post] == []
    assert beside(running) == before


@pytest.mark.req("L24", "M68")
@pytest.mark.parametrize("kind", [RESTART, REMOVE])
def test_a_job_that_github_shows_puts_it_off_until_it_has_ended(running: Place, people: People, kind: str) -> None:
    change = ways.approved(kind, running, people)
    running.runner().shows_busy = True
    change = ways.again(change, people)
    assert change.status == Change.Status.APPROVED
    assert "not_busy: GitHub shows it busy." in change.sentence
    assert ways.last_record(change)["nothing_changed"] is True
    assert running.orders() == []
    running.runner().shows_busy = None
    assert ways.again(change, people).status == Change.Status.COMPLETED


@pytest.mark.req("L24")
def test_a_worker_in_the_units_cgroup_is_a_job_whatever_github_shows(running: Place, people: People) -> None:
    change = ways.approved(RESTART, running, people)
    running.processes_of("lane-cm", name="Runner.Worker")
    change = ways.again(change, people)
    assert change.status == Change.Status.APPROVED
    assert "not_busy: A job runs: its unit has a worker process." in change.sentence
    assert running.orders() == []


@pytest.mark.req("L24")
def test_a_host_that_cannot_be_asked_whether_a_job_runs_blocks(running: Place, people: People) -> None:
    change = ways.approved(RESTART, running, people)
    (running.room.path("sys/fs/cgroup") / "of-the-lane" / "cgroup.procs").unlink()
    change = ways.again(change, people)
    assert change.status == Change.Status.APPROVED
    assert "Counts as closed" in change.sentence
    assert running.orders() == []


@pytest.mark.req("L24")
def test_a_job_that_github_still_counts_keeps_the_registration(running: Place, people: People) -> None:
    """Between the stop and the removal: GitHub is late, or something else holds the session."""
    running.github.meanwhile(r"POST .*/remove-token", lambda: setattr(running.runner(), "shows_busy", True))
    change = ways.applied(REMOVE, running, people)
    assert (change.status, ways.outcomes(change)["unconfigure"]) == (Change.Status.FAILED, "failed")
    assert "busy" in ways.detail(change, "unconfigure")
    assert running.agent_id() == running.runner().id
    assert (running.room.directory() / ".runner").exists()


@pytest.mark.req("L13", "M71")
@pytest.mark.parametrize("kind", [RESTART, REMOVE])
def test_a_lane_whose_runner_is_not_ours_is_refused(running: Place, people: People, kind: str) -> None:
    Lane.objects.update(agent_id=12345)
    change = ways.planned(kind, running, people)
    assert change.status == Change.Status.BLOCKED
    assert {blocker.code for blocker in change.planned().blockers} >= {"unmanaged_runner"}


@pytest.mark.req("L6")
def test_a_registration_that_somebody_replaced_meanwhile_is_left_alone(running: Place, people: People) -> None:
    def replaced() -> None:
        del running.github.runners[running.runner().id]
        running.github.add_runner(SCOPE, LANE)

    change = ways.applied(REMOVE, running, people, meanwhile=replaced)
    assert (change.status, change.why_closed) == (Change.Status.CLOSED, Change.Why.STALE)
    assert len(running.namesakes()) == 1
    assert running.orders() == []


@pytest.mark.req("L8")
def test_a_removal_that_failed_halfway_is_finished_by_the_next(running: Place, people: People) -> None:
    running.room.manager(failing=["disable"])
    change = ways.applied(REMOVE, running, people)
    assert change.status == Change.Status.FAILED
    assert ways.outcomes(change) == {
        "stop": "done",
        "disable": "failed",
        "remove-unit": "skipped",
        "daemon-reload": "skipped",
        "ask-remove-token": "skipped",
        "unconfigure": "skipped",
    }
    assert running.agent_id() == running.runner().id
    running.room.manager(failing=[])
    assert ways.applied(REMOVE, running, people).status == Change.Status.COMPLETED
    assert (running.namesakes(), running.agent_id()) == ([], None)


@pytest.mark.req("L6", "M61")
def test_a_registration_without_a_directory_is_deleted_by_our_own_id(place: Place, people: People) -> None:
    ours, foreign = place.github.add_runner(SCOPE, LANE), place.github.add_runner(SCOPE, "another")
    Lane.objects.update(agent_id=ours.id)
    change = ways.applied(REMOVE, place, people)
    assert change.status == Change.Status.COMPLETED, change.sentence
    assert place.posts() == [f"DELETE /{ours.id}"]
    assert list(place.github.runners) == [foreign.id]
    assert place.agent_id() is None


@pytest.mark.req("L6", "L8")
def test_a_deletion_that_could_not_be_verified_is_settled_once_github_lists_again(place: Place, people: People) -> None:
    ours = place.github.add_runner(SCOPE, LANE)
    Lane.objects.update(agent_id=ours.id)
    down = place.github.fault(r"GET /repos/.*/actions/runners\?.*", raw(b""), times=0)
    place.github.meanwhile(r"DELETE .*", lambda: setattr(down, "times", None))
    change = ways.applied(REMOVE, place, people)
    assert (change.status, place.agent_id()) == (Change.Status.IN_DOUBT, ours.id)
    down.times = 0
    change = ways.recovered(change)
    assert (change.status, ways.outcomes(change)) == (Change.Status.COMPLETED, {"remove-registration": "done"})
    assert (place.namesakes(), place.agent_id()) == ([], None)


@pytest.mark.req("L3", "M26")
def test_an_opt_in_that_is_taken_back_in_the_middle_ends_it(
    transactional_db: None, running: Place, people: People
) -> None:
    withdraw = ways.elsewhere(lambda: Host.objects.update(lanes_enabled=False))
    running.github.meanwhile(r"POST .*/remove-token", withdraw)
    change = ways.applied(REMOVE, running, people)
    assert ways.outcomes(change)["ask-remove-token"] == "done"
    assert (change.status, ways.outcomes(change)["unconfigure"]) == (Change.Status.FAILED, "skipped")
    assert "grant: Lanes are not enabled" in ways.detail(change, "unconfigure")
    assert running.agent_id() == running.runner().id
