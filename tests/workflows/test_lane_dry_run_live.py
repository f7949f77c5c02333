"""The manual dry-run of a lane, with Launchplane, its worker, the lane's host and a GitHub at the other end."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connection

from audits.models import AuditRecord
from lanes.models import Lane
from launchplane.access.actions import Action
from launchplane.access.models import SpentToken
from launchplane.changes import plan_runs
from launchplane.changes.models import Approval, Change, PlanRun
from launchplane.hosts.models import Host
from tests.access.making import a_workflow
from tests.fakes.actions import TokenDoor
from tests.fakes.github import GithubServer
from tests.fakes.issuer import Issuer
from tests.lanes.answering import TOLD_NO_DIRECTORY, TOLD_NO_SERVICE, Answering, told_directory, told_service
from tests.lanes.conftest import connected, server, there
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import LANE, SCOPE
from tests.workflows.acting import Ran, Runner
from tests.workflows.document import LANE_DRY_RUN, workflow
from tests.workflows.live import door_of, issuer, variables, workflow_ref

__all__ = ["connected", "issuer", "server", "there", "variables"]
pytestmark = pytest.mark.django_db(transaction=True)
FILE = workflow(LANE_DRY_RUN)
NEEDED = (Action.CHANGE_REQUEST,)
POLL_SECONDS = 0.05


@pytest.fixture
def door(issuer: Issuer) -> Iterator[TokenDoor]:
    with door_of(issuer, LANE_DRY_RUN) as door:
        yield door


@pytest.fixture
def runner(tmp_path: Path, door: TokenDoor) -> Runner:
    home = tmp_path / "runner"
    home.mkdir()
    return Runner(home, door=door.address)


@pytest.fixture
def lane(transactional_db: None, there: Answering, connected: GithubServer) -> Lane:
    """Granted and on record, and nothing is of it: not on its host, not at GitHub."""
    lane = a_lane(a_lane_host(), agent_id=None)
    a_grant(lane.host)
    there.tells(lane.host, directory=told_directory(**TOLD_NO_DIRECTORY), service=told_service(**TOLD_NO_SERVICE))
    return lane


@pytest.fixture
def worker(lane: Lane) -> Iterator[None]:
    """Takes each plan that is asked for, as the queue's does."""
    over = Event()

    def work() -> None:
        while not over.wait(POLL_SECONDS):
            for number in PlanRun.objects.filter(status=PlanRun.Status.QUEUED).values_list("pk", flat=True):
                plan_runs.run_queued(number)
        connection.close()

    thread = Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def trust(*hosts: Host, actions: Iterable[Action] = NEEDED, file: str = LANE_DRY_RUN) -> None:
    """As docs/how-to/plan-a-lane-from-github.md has it."""
    a_workflow(actions, hosts, workflow_ref=workflow_ref(file), events=["workflow_dispatch"])


def dry_run(runner: Runner, variables: dict[str, str], **inputs: str) -> Ran:
    return runner.run(FILE, variables=variables, **({"lane": LANE} | inputs))


def calls(github: GithubServer) -> set[str]:
    return {call.method for call in github.calls}


@pytest.mark.req("M72", "M74", "M77", "M78", "M80")
def test_a_dry_run_of_the_lane_leaves_zero_runners(
    runner: Runner, variables: dict[str, str], lane: Lane, connected: GithubServer, there: Answering, worker: None
) -> None:
    trust(lane.host)
    assert connected.of(SCOPE) == []

    ran = dry_run(runner, variables)

    assert ran.succeeded, ran.log
    change = Change.objects.get()
    assert (change.kind, change.subject, change.status) == ("lane.create", LANE, "planned")
    assert json.loads(ran.artifact["answer.json"])["digest"] == change.digest
    assert f"/changes/{change.pk}/" in ran.summary
    assert connected.of(SCOPE) == []
    assert (calls(connected), connected.one_time) == ({"GET"}, {})
    assert {asked["verb"] for asked in there.asked} == {"observe"}
    assert not Approval.objects.exists()


@pytest.mark.req("M78")
def test_a_plan_that_is_blocked_is_a_result_too(
    runner: Runner, variables: dict[str, str], lane: Lane, worker: None
) -> None:
    trust(lane.host)
    lane.host.lane_grants.all().delete()

    ran = dry_run(runner, variables)

    assert ran.succeeded, ran.log
    assert Change.objects.get().status == "blocked"
    assert f"### lane.create of `{LANE}`: blocked\n" in ran.summary
    assert "- blocked by `repository_not_allowed`\n" in ran.summary


@pytest.mark.req("M80")
@pytest.mark.parametrize("operation", ["restart", "remove"])
def test_a_restart_and_a_removal_are_planned_and_nothing_is_begun(
    runner: Runner,
    variables: dict[str, str],
    lane: Lane,
    connected: GithubServer,
    there: Answering,
    worker: None,
    operation: str,
) -> None:
    trust(lane.host)

    ran = dry_run(runner, variables, operation=operation)

    assert ran.succeeded, ran.log
    assert Change.objects.get().kind == f"lane.{operation}"
    assert calls(connected) == {"GET"}
    assert {asked["verb"] for asked in there.asked} == {"observe"}


def test_another_attempt_is_another_plan(runner: Runner, variables: dict[str, str], lane: Lane, worker: None) -> None:
    trust(lane.host)

    for attempt in ("1", "2"):
        assert dry_run(replace(runner, attempt=attempt), variables).succeeded

    assert list(Change.objects.order_by("planned_at").values_list("status", flat=True)) == ["closed", "planned"]


@pytest.mark.req("M79")
def test_a_change_that_was_completed_meanwhile_is_no_result_of_a_dry_run(
    runner: Runner, variables: dict[str, str], lane: Lane, worker: None
) -> None:
    trust(lane.host)
    dry_run(runner, variables)
    Change.objects.update(status=Change.Status.COMPLETED)

    ran = dry_run(runner, variables)

    assert not ran.succeeded
    assert json.loads(ran.artifact["answer.json"])["status"] == "completed"
    assert "This is neither, so it was no dry-run." in ran.log


@pytest.mark.req("M75")
def test_to_apply_comes_to_nobody_s_knowledge(
    runner: Runner, variables: dict[str, str], lane: Lane, worker: None, door: TokenDoor
) -> None:
    trust(lane.host)

    ran = dry_run(runner, variables, mode="apply", phrase=f"create {LANE}", idempotency_key="k-1")

    assert not ran.succeeded
    assert f"{variables['LAUNCHPLANE_URL']}/lanes/{LANE}/" in ran.log
    assert (door.given, PlanRun.objects.count(), SpentToken.objects.count()) == ([], 0, 0)


def test_a_run_that_is_not_trusted_plans_nothing(runner: Runner, variables: dict[str, str], lane: Lane) -> None:
    trust(lane.host, file="another.yml")

    ran = dry_run(runner, variables)

    assert "Launchplane did not plan it: HTTP 401 workflow_not_trusted" in ran.log
    assert not PlanRun.objects.exists()


def test_a_run_that_may_only_look_plans_nothing(runner: Runner, variables: dict[str, str], lane: Lane) -> None:
    trust(lane.host, actions=[Action.CHANGE_READ, Action.LANE_READ])

    ran = dry_run(runner, variables)

    assert "HTTP 403 not_granted" in ran.log
    assert not PlanRun.objects.exists()


def test_a_lane_of_a_host_that_it_may_not_see_is_like_none(
    runner: Runner, variables: dict[str, str], lane: Lane
) -> None:
    trust(a_lane_host("another"))

    hidden, missing = dry_run(runner, variables), dry_run(runner, variables, lane="nothing")

    assert "HTTP 404 no_such_lane" in hidden.log
    assert hidden.log == missing.log
    assert hidden.artifact["answer.json"] == missing.artifact["answer.json"]


def test_the_tokens_are_nowhere_afterwards(
    runner: Runner, variables: dict[str, str], lane: Lane, worker: None, door: TokenDoor
) -> None:
    trust(lane.host)

    ran = dry_run(runner, variables)

    kept = "".join(AuditRecord.objects.values_list("payload", flat=True))
    left = "".join(path.read_text() for path in (runner.home / "temp").rglob("*") if path.is_file())
    assert door.given
    for token in door.given:
        assert not any(token in where for where in (ran.log, ran.summary, ran.argv, ran.environment, kept, left))
