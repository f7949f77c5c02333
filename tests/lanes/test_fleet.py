"""Looking at many lanes: GitHub is asked once for each scope and 100 runners, and a silent host once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from lanes import schedule
from lanes.looking import observe_fleet
from lanes.models import Lane, LaneSnapshot
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.schedule.models import Schedule
from launchplane.schedule.tick import adopt, run_job
from tests.fakes.github import GithubServer
from tests.lanes.answering import Answering, all_told, told_directory, told_service
from tests.lanes.records import a_lane, a_lane_host

pytestmark = pytest.mark.django_db
SCOPES = ("acme/shop", "acme/site")
HOSTS, EACH = 3, 4


@pytest.fixture(autouse=True)
def nothing_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_shared", schedule._Shared())


@pytest.fixture
def fleet(connected: GithubServer, there: Answering) -> list[Lane]:
    """Twelve lanes on three hosts in two scopes, which have 250 and 7 runners."""
    lanes = [lane for number in range(HOSTS) for lane in some_lanes(connected, there, f"host-{number}")]
    for scope, count in zip(SCOPES, (250, 7), strict=True):
        for number in range(count - len(connected.of(scope))):
            connected.add_runner(scope, f"other-{number}")
    connected.calls.clear()
    return lanes


def some_lanes(github: GithubServer, there: Answering, name: str) -> Iterator[Lane]:
    host = a_lane_host(name)
    for number in range(EACH):
        scope, own = SCOPES[number % 2], f"{name}-lane-{number}"
        runner = github.add_runner(scope, own, "launchplane", online=number > 0)
        yield a_lane(host, name=own, scope=scope, service_user=f"user-{number}", agent_id=runner.id)
        place = f"/srv/runners/{own}"
        directory = told_directory(path=place, agent_id=runner.id, agent_name=own, github_url=f"https://x/{scope}")
        service = told_service(
            unit=f"launchplane-runner@{own}.service",
            working_directory=place,
            exec_start=f"{place}/run.sh",
            process_users=[f"user-{number}"],
        )
        there.tells(host, own, **all_told(directory=directory, service=service))


def test_a_fleet_costs_one_call_for_each_hundred_runners_of_a_scope(fleet: list[Lane], connected: GithubServer) -> None:
    seen = observe_fleet(fleet, asked_by="a test")
    assert len(connected.calls) == 3 + 1
    assert [observed.unmeasured for observed in seen.values()] == [{}] * len(fleet)


def test_looking_again_at_what_did_not_change_costs_no_quota(fleet: list[Lane], connected: GithubServer) -> None:
    observe_fleet(fleet, asked_by="a test")
    connected.calls.clear()
    observe_fleet(fleet, asked_by="a test")
    assert (len(connected.calls), connected.cost()) == (4, 0)
    assert {call.status for call in connected.calls} == {304}
    assert LaneSnapshot.objects.count() == len(fleet)


def test_a_scope_that_is_refused_is_asked_for_once_and_stops_no_other(
    fleet: list[Lane], connected: GithubServer
) -> None:
    from tests.fakes.loopback import answers

    connected.fault(".*acme/shop.*", answers(403, {"message": "Resource not accessible"}))
    seen = observe_fleet(fleet, asked_by="a test")
    assert len(connected.calls) == 2
    unread = {lane.scope for lane, observed in seen.items() if observed.listing is None}
    assert unread == {"acme/shop"}


def test_a_silent_host_is_asked_once_and_stops_no_other(fleet: list[Lane], there: Answering) -> None:
    away = fleet[0].host
    there.program.write_text(
        there.program.read_text().replace("here = ", f"if told['host'] == {away.name!r}: os._exit(127)\nhere = ")
    )
    seen = observe_fleet(fleet, asked_by="a test")
    unread = [lane for lane, observed in seen.items() if observed.directory is None]
    assert {lane.host for lane in unread} == {away}
    assert len(unread) == EACH
    assert len([asked for asked in there.asked if asked["host"] != away.name]) == (HOSTS - 1) * EACH


def test_a_lie_about_one_lane_stops_no_other_of_its_host(fleet: list[Lane], there: Answering) -> None:
    liar = fleet[0]
    there.prints(liar.host, liar.name, "no json")
    seen = observe_fleet(fleet, asked_by="a test")
    assert [lane for lane, observed in seen.items() if observed.directory is None] == [liar]


def job_of(host: Host) -> Schedule:
    adopt(host)
    return Schedule.objects.get(host=host, job="observe-lanes")


def ran(host: Host) -> Schedule:
    row = job_of(host)
    run_job(row.pk)
    row.refresh_from_db()
    return row


def test_the_schedule_looks_at_the_lanes_of_its_host_and_says_so_in_a_sentence(
    fleet: list[Lane], there: Answering
) -> None:
    row = ran(fleet[0].host)
    assert (row.last_ok, row.last_sentence) == (True, "Saw 4 lanes: 3 online, 1 offline.")
    assert {asked["host"] for asked in there.asked} == {fleet[0].host.name}
    assert (row.enabled, row.cron) == (True, "*/5 * * * *")


def test_the_hosts_of_a_fleet_share_what_github_said_in_that_minute(fleet: list[Lane], connected: GithubServer) -> None:
    for host in {lane.host for lane in fleet}:
        ran(host)
    assert len(connected.calls) == 4


def test_what_github_said_is_not_shared_for_longer() -> None:
    shared, now = schedule._Shared(), a_lane_host().added_at
    first = shared.now(now)
    assert shared.now(now + timedelta(seconds=59)) is first
    assert shared.now(now + timedelta(seconds=61)) is not first
    assert shared.now(now - timedelta(days=1)) is not first


def test_a_host_without_lanes_is_quiet(connected: GithubServer, there: Answering) -> None:
    row = ran(a_lane_host("empty"))
    assert (row.last_ok, row.last_sentence) == (True, "No lanes on this host.")
    assert (connected.calls, there.asked) == ([], [])


def test_a_lane_that_was_not_seen_in_full_is_said_and_what_was_seen_is_kept(
    fleet: list[Lane], there: Answering
) -> None:
    lane = fleet[1]
    there.refuses(lane.host, lane.name, code="unknown_lane", summary="no such lane in host.json")
    row = ran(lane.host)
    assert row.last_ok is False
    assert row.last_sentence == (
        f"1 of 4 lanes not seen in full. {lane.name}: "
        "The host does not tell of it (unknown_lane): no such lane in host.json"
    )
    assert LaneSnapshot.objects.filter(lane__host=lane.host).count() == EACH
    with pytest.raises(Problem, match="not seen in full"):
        schedule._observe(lane.host)
