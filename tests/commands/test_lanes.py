"""`manage.py lanes list|observe|plan`: what programs read, what people are shown, and that nothing is changed."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from audits.models import AuditRecord
from lanes.api import LaneSummary
from lanes.models import Lane, LaneSnapshot
from lanes.snapshots import store
from launchplane.changes.document import LaneChangeDocument
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.factories import edited
from tests.fakes.github import GithubServer
from tests.fakes.github_things import Runner
from tests.lanes.answering import (
    TOLD_NO_DIRECTORY,
    TOLD_NO_SERVICE,
    Answering,
    all_told,
    told_directory,
    told_journal,
    told_service,
)
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import HOST, LABELS, LANE, SCOPE, UNIT, seen
from tests.shell import manage

pytestmark = pytest.mark.django_db
# The names are used from outside: a change of one breaks somebody's program.
LOOK = ["lane", "host", "seen_at", "shape", "condition", "cause", "desired", "observed"]
OF_A_LANE = ["action", "shape", "condition", "desired", "observed"]
READING = {"GET"}


@pytest.fixture
def host() -> Host:
    host = a_lane_host()
    a_grant(host)
    return host


@pytest.fixture
def runner(connected: GithubServer) -> Runner:
    return connected.add_runner(SCOPE, LANE, *LABELS[1:], online=True)


@pytest.fixture
def lane(host: Host, there: Answering, runner: Runner) -> Lane:
    """Registered, supervised, idle."""
    there.tells(host, **all_told(directory=told_directory(agent_id=runner.id)))
    return a_lane(host, agent_id=runner.id)


@pytest.fixture
def unmade(host: Host, there: Answering, connected: GithubServer) -> Lane:
    """On record, and nowhere else."""
    nothing: dict[str, Any] = {"directory": told_directory(**TOLD_NO_DIRECTORY), "journal": told_journal()}
    there.tells(host, **all_told(service=told_service(**TOLD_NO_SERVICE), **nothing))
    return a_lane(host, agent_id=None)


def test_the_list_shows_each_lane_by_the_last_look_at_it(lane: Lane) -> None:
    assert "never looked at" in manage("lanes", "list").out
    manage("lanes", "observe", LANE)
    out = manage("lanes", "list").out
    assert "supervised active" in out
    assert "online" in out
    assert out.strip().endswith("1 lane.")


def test_the_list_for_programs_is_as_the_api_gives_it(lane: Lane) -> None:
    (row,) = manage("lanes", "list", "--json").json["lanes"]
    assert list(row) == list(LaneSummary.model_fields)
    assert (row["shape"], row["online"], row["seen_at"]) == (None, None, None)
    manage("lanes", "observe", LANE)
    (row,) = manage("lanes", "list", "--json").json["lanes"]
    assert (row["shape"], row["condition"], row["online"], row["busy"]) == ("supervised_active", "none", True, False)


@pytest.mark.parametrize("count", [1, 20])
def test_listing_makes_as_many_queries_for_one_lane_as_for_many(
    lane: Lane, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, count):
        another = a_lane(lane.host, name=f"lane-{number}", service_user=f"user-{number}", agent_id=None)
        store(another, seen(lane_name=another.name), asked_by="a test")
    with django_assert_num_queries(2):
        manage("lanes", "list", "--json")


def test_listing_looks_at_nothing(lane: Lane, there: Answering, connected: GithubServer) -> None:
    manage("lanes", "list")
    assert (there.asked, connected.calls) == ([], [])


def test_a_lane_that_is_at_work_is_fine(lane: Lane) -> None:
    outcome = manage("lanes", "observe", LANE)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"{LANE} on {HOST}, for {SCOPE}: supervised active." in outcome.out
    assert "!" not in outcome.out
    assert LaneSnapshot.objects.get().asked_by.startswith("command (")


def test_a_look_for_programs(lane: Lane, runner: Runner) -> None:
    look = manage("lanes", "observe", LANE, "--json").json
    assert list(look) == LOOK
    assert look["desired"]["systemd_unit_name"] == UNIT
    assert look["observed"]["runner"]["id"] == runner.id
    assert look["observed"]["unmeasured"] == {}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"service": told_service(active_state="inactive", process_users=[])}, "! Somebody stopped it"),
        ({"control_path": {"problem": "x"}}, "! control_path: the programs"),
        ({"baseline": None}, "? baseline is not measured: The host did not tell its baseline"),
        ({"service": None, "service_unmeasured": "systemctl took too long"}, "? service is not measured: systemctl"),
        ({"journal": told_journal("session_conflict")}, "! session conflict: Its log says"),
    ],
)
def test_what_is_wrong_or_not_known_is_said_and_is_exit_code_3(
    lane: Lane, there: Answering, facts: dict[str, Any], said: str
) -> None:
    there.tells(lane.host, **all_told(**({"directory": told_directory(agent_id=lane.agent_id)} | facts)))
    outcome = manage("lanes", "observe", LANE)
    assert outcome.code == 3
    assert said in outcome.out


def test_what_a_host_says_cannot_forge_a_line(lane: Lane, there: Answering) -> None:
    there.refuses(lane.host, code="unknown_lane", summary="no\x1b[2J\nlanes: all fine")
    out = manage("lanes", "observe", LANE).out
    assert "\x1b" not in out
    assert "\nlanes: all fine" not in out


@pytest.mark.parametrize("words", [("observe",), ("plan",), ("plan", "restart")])
@pytest.mark.parametrize("name", ["no-such", "../x"])
def test_a_lane_that_is_not_there_is_wrong_usage(name: str, words: tuple[str, ...]) -> None:
    outcome = manage("lanes", words[0], name, *words[1:], "--json")
    assert (outcome.code, outcome.error["code"]) == (2, "no_such_lane")


@pytest.mark.req("M4", "M15", "M19", "M22", "M80")
def test_the_plan_of_a_new_lane_asks_for_no_token_and_leaves_zero_runners(
    unmade: Lane, there: Answering, connected: GithubServer
) -> None:
    assert connected.runners == {}
    outcome = manage("lanes", "plan", LANE, "--json")
    assert outcome.code == 0
    assert (outcome.json["kind"], outcome.json["plan_status"], outcome.json["action"]) == (
        "lane.create",
        "ready",
        "create",
    )
    assert {call.method for call in connected.calls} == READING
    assert (connected.runners, connected.one_time) == ({}, {})
    assert {asked["verb"] for asked in there.asked} == {"observe"}
    unmade.refresh_from_db()
    assert unmade.agent_id is None


@pytest.mark.req("M4", "M16", "M91")
@pytest.mark.parametrize("operation", ["restart", "remove"])
def test_the_plan_of_a_restart_or_a_removal_changes_nothing(
    lane: Lane, there: Answering, connected: GithubServer, operation: str
) -> None:
    before = [runner.document() for runner in connected.runners.values()]
    outcome = manage("lanes", "plan", LANE, operation, "--json")
    assert (outcome.code, outcome.json["kind"]) == (0, f"lane.{operation}")
    assert outcome.json["steps"]
    assert {call.method for call in connected.calls} == READING
    assert {asked["verb"] for asked in there.asked} == {"observe"}
    assert ([runner.document() for runner in connected.runners.values()], connected.one_time) == (before, {})


@pytest.mark.req("M18", "M21")
def test_a_plan_has_what_only_lanes_have_and_is_shown_so_again(unmade: Lane) -> None:
    plan = manage("lanes", "plan", LANE, "--json").json
    assert list(plan) == list(LaneChangeDocument.model_fields)
    assert list(plan)[-5:] == OF_A_LANE
    assert (plan["shape"], plan["condition"], plan["status"]) == ("absent", "none", "planned")
    assert plan["desired"]["labels"] == list(LABELS)
    again = manage("changes", "show", plan["id"], "--json").json
    assert {name: again[name] for name in OF_A_LANE} == {name: plan[name] for name in OF_A_LANE}


@pytest.mark.req("M37", "L7")
def test_a_dry_run_is_on_record(unmade: Lane) -> None:
    manage("lanes", "plan", LANE)
    record = AuditRecord.objects.get(kind="lane.create")
    assert (record.status, record.lane, record.host) == ("planned", LANE, HOST)


def test_a_plan_is_shown_with_what_comes_next(unmade: Lane) -> None:
    out = manage("lanes", "plan", LANE).out
    assert f"Create lane {LANE} on {HOST}: ready. It is absent." in out
    assert "enable-now" in out
    assert "manage.py changes request" in out


def test_nothing_to_do_is_said(lane: Lane) -> None:
    outcome = manage("lanes", "plan", LANE)
    assert outcome.code == 0
    assert f"Nothing to do: {LANE} is as its record wants it." in outcome.out


@pytest.mark.req("M20", "M24")
def test_a_blocked_plan_is_exit_code_3_and_says_what_to_do(unmade: Lane) -> None:
    edited(unmade.host, approved=False)
    outcome = manage("lanes", "plan", LANE)
    assert outcome.code == 3
    assert "! host_not_approved: chris-testing is not approved for changes." in outcome.out
    assert "next: Whoever may change the host's settings can approve it there." in outcome.out
    assert Change.objects.get().status == "blocked"


@pytest.mark.parametrize("word", ["stop", "create", "restart now"])
def test_another_operation_is_wrong_usage(lane: Lane, word: str) -> None:
    assert manage("lanes", "plan", LANE, word).code != 0
    assert not Change.objects.exists()
