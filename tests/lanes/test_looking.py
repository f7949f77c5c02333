"""Looking at one lane: what GitHub and its host say, put together, and what was not read said so."""

from datetime import timedelta
from typing import Any

import pytest

from lanes.contracts import Observed
from lanes.looking import find_lane, observe_now, scene_now
from lanes.models import Lane
from lanes.names import DEFAULT_LABELS
from lanes.plan.assemble import plan_lane
from lanes.readiness import readiness
from lanes.shapes import shape_of
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from tests.fakes.github import GithubServer
from tests.fakes.github_things import Runner
from tests.fakes.loopback import answers
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
from tests.lanes.scenes import LABELS, LANE, SCOPE, UNIT, USER, blocked_by, verbs

pytestmark = pytest.mark.django_db


@pytest.fixture
def host() -> Host:
    host = a_lane_host()
    a_grant(host)
    return host


@pytest.fixture
def registered(connected: GithubServer) -> Runner:
    custom = [label for label in LABELS if label not in DEFAULT_LABELS]
    return connected.add_runner(SCOPE, LANE, *custom, online=True)


@pytest.fixture
def lane(host: Host, there: Answering, registered: Runner) -> Lane:
    """Registered, supervised, idle."""
    there.tells(host, **all_told(directory=told_directory(agent_id=registered.id)))
    return a_lane(host, agent_id=registered.id)


def look(lane: Lane) -> Observed:
    return observe_now(lane, asked_by="a test")


@pytest.mark.req("M14")
def test_a_lane_is_seen_at_github_and_on_its_host(lane: Lane, there: Answering) -> None:
    observed = look(lane)
    assert shape_of(lane.as_desired(), observed) == "supervised_active"
    assert observed.directory is not None
    assert (observed.directory.owner, observed.service and observed.service.process_user) == (USER, USER)
    assert (observed.control_path, observed.condition, observed.cause) == (True, "none", "")
    assert observed.baseline is not None
    assert observed.baseline.ready
    assert observed.unmeasured == {}
    (asked,) = there.asked
    assert (asked["verb"], asked["user"], asked["unit"], asked["dry_run"]) == ("observe", USER, UNIT, False)


@pytest.mark.req("M19", "M6")
def test_zero_runners_and_nothing_on_the_host_is_absent_and_makes_a_create(
    host: Host, there: Answering, connected: GithubServer
) -> None:
    lane = a_lane(host, agent_id=None)
    nothing = {"directory": told_directory(**TOLD_NO_DIRECTORY), "service": told_service(**TOLD_NO_SERVICE)}
    there.tells(host, **all_told(**nothing, journal=told_journal()))
    plan = plan_lane(scene_now(lane))
    assert (plan.kind, plan.facts["shape"]) == ("lane.create", "absent")
    assert verbs(plan) == ["fetch", "ask-token", "configure", "install-unit", "daemon-reload", "enable-now"]


@pytest.mark.parametrize("code", ["unknown_lane", "wrong_root", "unexpected"])
def test_what_the_host_refuses_to_tell_is_unmeasured_and_never_absent(lane: Lane, there: Answering, code: str) -> None:
    there.refuses(lane.host, code=code, summary="this host's administrator has no such lane in host.json")
    observed = look(lane)
    assert (observed.directory, observed.service, observed.baseline, observed.control_path) == (None, None, None, None)
    assert {"directory", "service", "baseline", "control_path"} <= set(observed.unmeasured)
    assert f"({code}): this host's administrator has no such lane" in observed.unmeasured["directory"]
    assert shape_of(lane.as_desired(), observed) == "unknown_conflict"


def test_a_host_without_the_programs_has_no_way_to_restart_or_remove(lane: Lane, there: Answering) -> None:
    there.program.write_text("#!/bin/sh\necho not found >&2\nexit 127\n")
    observed = look(lane)
    assert observed.control_path is False
    assert "Install the programs" in observed.unmeasured["service"]
    assert "control_path_missing" in blocked_by(plan_lane(scene_now(lane)))


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("directory", None),
        ("directory", "a text"),
        ("directory", told_directory(exists="yes")),
        ("directory", told_directory(agent_id="42")),
        ("directory", told_directory(agent_id=-1)),
        ("directory", told_directory(agent_id=True)),
        ("directory", told_directory(agent_name="x" * 301)),
        ("directory", told_directory(configured=None)),
        ("directory", {}),
        ("service", None),
        ("service", []),
        ("service", told_service(workers=-1)),
        ("service", told_service(workers=10_001)),
        ("service", told_service(workers=False)),
        ("service", told_service(process_users="root")),
        ("service", told_service(process_users=[USER] * 101)),
        ("service", told_service(active_state=None)),
    ],
)
def test_a_part_in_another_shape_was_not_read(lane: Lane, there: Answering, part: str, told: Any) -> None:
    there.tells(lane.host, **all_told(**{"directory": told_directory(agent_id=lane.agent_id), part: told}))
    observed = look(lane)
    other = {"directory": observed.service, "service": observed.directory}[part]
    assert (getattr(observed, part), part in observed.unmeasured) == (None, True)
    assert other is not None
    assert blocked_by(plan_lane(scene_now(lane))) >= {"not_measured"}


def test_why_the_host_itself_could_not_read_a_part_is_told(lane: Lane, there: Answering) -> None:
    there.tells(lane.host, directory=told_directory(), service=None, service_unmeasured="systemctl took too long")
    assert look(lane).unmeasured["service"] == "systemctl took too long"


@pytest.mark.req("M29", "M67")
@pytest.mark.parametrize("users", [[USER, "root"], ["lane-other", USER], ["root"]])
def test_processes_of_anybody_else_are_a_mismatch(lane: Lane, there: Answering, users: list[str]) -> None:
    there.tells(lane.host, directory=told_directory(agent_id=lane.agent_id), service=told_service(process_users=users))
    assert "service_user_mismatch" in blocked_by(plan_lane(scene_now(lane)))


@pytest.mark.req("M20")
def test_the_owner_of_a_folder_that_is_not_safe_is_not_guessed(lane: Lane, there: Answering) -> None:
    problem = "/srv/runners/x belongs to user id 0, it has to be 1002"
    told = told_directory(problem=problem, configured=None, agent_id=None, agent_name=None, github_url=None)
    there.tells(lane.host, directory=told, service=told_service())
    observed = look(lane)
    assert observed.directory is not None
    assert observed.directory.owner == ""
    assert {"unsafe_path", "service_user_mismatch"} <= blocked_by(plan_lane(scene_now(lane)))


@pytest.mark.parametrize(
    "answer", ["", "no json", "{}", "[" * 100_000, "x" * 2_000_000, '{"ok": NaN}'], ids=lambda text: text[:10]
)
def test_a_host_that_answers_nonsense_leaves_all_of_it_unmeasured(lane: Lane, there: Answering, answer: str) -> None:
    there.prints(lane.host, LANE, answer)
    observed = look(lane)
    assert (observed.directory, observed.service, observed.control_path) == (None, None, None)
    assert observed.listing is not None


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_github_that_refuses_leaves_the_listing_unmeasured(lane: Lane, connected: GithubServer, status: int) -> None:
    connected.fault(".*", answers(status, {"message": "no"}))
    observed = look(lane)
    assert observed.listing is None
    assert observed.unmeasured["listing"]
    assert observed.service is not None


def test_without_credentials_the_host_is_looked_at_all_the_same(lane: Lane, settings: Any) -> None:
    settings.GITHUB_TOKEN = ""
    observed = look(lane)
    assert "no credentials for GitHub" in observed.unmeasured["listing"]
    assert observed.directory is not None


@pytest.mark.req("M33", "M94")
@pytest.mark.parametrize("missing", ["baseline", "journal", "control_path"])
def test_programs_that_tell_less_leave_a_proof_unknown(lane: Lane, there: Answering, missing: str) -> None:
    facts = all_told(directory=told_directory(agent_id=lane.agent_id))
    there.tells(lane.host, **{name: told for name, told in facts.items() if name != missing})
    observed = look(lane)
    assert set(observed.unmeasured) == {"condition" if missing == "journal" else missing}
    found = readiness(lane.as_desired(), observed, now=observed.seen_at, at_most_old=timedelta(minutes=5))
    proof = {"baseline": "baseline_ready", "journal": "lane_online", "control_path": "control_path"}[missing]
    assert {gate.name: gate.state for gate in found.proofs if not gate.is_open} == {proof: "unknown"}


@pytest.mark.req("M94")
def test_a_host_without_the_program_for_units_has_no_control_path(lane: Lane, there: Answering) -> None:
    facts = all_told(directory=told_directory(agent_id=lane.agent_id), control_path={"problem": "not installed"})
    there.tells(lane.host, **facts)
    assert look(lane).control_path is False
    assert "control_path_missing" in blocked_by(plan_lane(scene_now(lane)))


@pytest.mark.req("X12")
def test_the_cause_of_a_lane_that_is_down_is_seen(lane: Lane, there: Answering, registered: Runner) -> None:
    registered.online = False
    failed = told_service(active_state="failed", result="exit-code", exit_status=7, process_users=[])
    there.tells(lane.host, **all_told(directory=told_directory(agent_id=lane.agent_id), service=failed))
    observed = look(lane)
    assert observed.condition == "version_deprecated"
    assert verbs(plan_lane(scene_now(lane))) == ["fetch", "enable-now"]


@pytest.mark.parametrize("name", ["no-such", "../x", "A\0"])
def test_a_lane_that_is_not_there_is_said_not_to_be(name: str) -> None:
    with pytest.raises(Problem) as problem:
        find_lane(name)
    assert problem.value.code == "no_such_lane"


def test_grants_and_neighbours_of_other_hosts_do_not_count(lane: Lane) -> None:
    elsewhere = a_lane_host("elsewhere")
    a_grant(elsewhere, max_lanes=1)
    a_lane(elsewhere, name="another")
    scene = scene_now(lane)
    assert (scene.lanes_granted, scene.twins, scene.sharers) == (1, (), ())
    assert scene.grant is not None
    assert scene.grant.max_lanes == 2
