"""A lane through two people's browsers: one looks, plans and asks, the other decides, both see the proofs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from lanes.look_queue import look_queued
from lanes.models import Lane
from launchplane.access.models import User
from launchplane.changes.apply import apply_queued
from launchplane.changes.models import Change, PlanRun
from launchplane.changes.plan_runs import run_queued
from launchplane.changes.planning import plan_change
from launchplane.hosts.models import Host
from launchplane.schedule.heartbeat import QUEUES, beat
from tests.browser.conftest import Windows, log_in
from tests.browser.test_looks import barriers, sideways
from tests.changes.ways import person
from tests.fakes.github import GithubServer
from tests.lane_changes.conftest import people, place
from tests.lane_changes.place import Place
from tests.lane_changes.ways import People
from tests.lanes.answering import TOLD_NO_DIRECTORY, TOLD_NO_SERVICE, Answering, told_directory, told_service
from tests.lanes.conftest import connected, server, there
from tests.lanes.looked import looked_at, seen_of
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import LANE, STOPPED, USER, a_service, seen

__all__ = ["connected", "people", "place", "server", "there"]
pytestmark = pytest.mark.browser
PAGE = f"/lanes/{LANE}/"


@pytest.fixture
def db(transactional_db: None) -> None:
    """What the server of the test sees is committed."""


@pytest.fixture
def lane(db: None, there: Answering, connected: GithubServer, tmp_path: Path, settings: Settings) -> Iterator[Lane]:
    """A lane that is on record alone: neither its host nor GitHub has anything of it."""
    settings.EVIDENCE_DIR = tmp_path / "evidence"
    for queue in QUEUES:
        beat(queue)
    host = a_lane_host(service_users=[USER, "lane-other", "lane-third"])
    a_grant(host)
    there.tells(host, directory=told_directory(**TOLD_NO_DIRECTORY), service=told_service(**TOLD_NO_SERVICE))
    yield a_lane(host, agent_id=None)


def test_a_look_is_followed_to_what_was_seen(
    new_context: Windows, live_server: LiveServer, lane: Lane, planner: User
) -> None:
    visit = log_in(new_context, live_server.url, "planner")
    page = visit.open("/lanes/")
    page.get_by_role("link", name=LANE).click()
    expect(page.get_by_text("Nobody has looked at it yet.").first).to_be_visible()
    page.get_by_role("button", name="Look at it now").dblclick()
    expect(page.get_by_text("A look was asked for")).to_be_visible()
    expect(page.get_by_role("button", name="Look at it now")).to_be_disabled()
    look_queued(lane.pk, "planner")
    expect(page.get_by_text("It is on record, and was not made yet.")).to_be_visible()
    expect(page.get_by_text("A look was asked for")).to_have_count(0)
    assert visit.complaints == []


def test_a_look_is_followed_without_javascript(
    new_context: Windows, live_server: LiveServer, lane: Lane, planner: User
) -> None:
    page = log_in(new_context, live_server.url, "planner", java_script_enabled=False).open(PAGE)
    page.get_by_role("button", name="Look at it now").click()
    look_queued(lane.pk, "planner")
    page.get_by_role("link", name="Is it there yet?").click()
    expect(page.get_by_text("It is on record, and was not made yet.")).to_be_visible()


@pytest.mark.req("M4", "M34")
def test_from_the_plan_of_one_to_the_approval_of_another(
    new_context: Windows, live_server: LiveServer, lane: Lane, connected: GithubServer, planner: User, approver: User
) -> None:
    asks = log_in(new_context, live_server.url, "planner")
    page = asks.open(PAGE)
    page.get_by_role("button", name="Plan this lane").dblclick()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    run_queued(PlanRun.objects.get().pk)
    expect(page.get_by_role("heading", name=f"Create lane {LANE}")).to_be_visible()
    expect(page.get_by_role("heading", name="Wanted against seen, when planned")).to_be_visible()
    page.get_by_label("Why is it needed?").fill("the shop needs it")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("You asked for this: somebody else has to decide.")).to_be_visible()

    decides = log_in(new_context, live_server.url, "approver")
    other = decides.page
    other.get_by_role("link", name="Create lane").click()
    other.get_by_label("Reason").fill("looked at it")
    other.get_by_label("To approve, type").fill(f"create {LANE}")
    other.get_by_role("button", name="Approve these 6 steps").click()
    expect(other.get_by_text("Approved.", exact=True)).to_be_visible()
    assert Change.objects.get().status == Change.Status.APPROVED
    assert {call.method for call in connected.calls} == {"GET"}
    assert asks.complaints + decides.complaints == []


@pytest.mark.testbed
@pytest.mark.req("M60", "M63", "L4")
def test_what_was_approved_is_done_and_both_see_every_proof(
    new_context: Windows, live_server: LiveServer, place: Place, people: People
) -> None:
    for queue in QUEUES:
        beat(queue)
    asks = log_in(new_context, live_server.url, "operator")
    page = asks.open(PAGE)
    page.get_by_role("button", name="Plan this lane").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    run_queued(PlanRun.objects.get().pk)
    page.get_by_label("Why is it needed?").fill("the shop needs it")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("waits for approval")).to_be_visible()
    decides = log_in(new_context, live_server.url, "approver")
    other = decides.open(f"/changes/{Change.objects.get().pk}/")
    other.get_by_label("Reason").fill("looked at it")
    other.get_by_label("To approve, type").fill(f"create {LANE}")
    other.get_by_role("button", name="Approve these 6 steps").click()
    expect(other.get_by_text("a worker applies it as soon as it can")).to_be_visible()

    apply_queued(str(Change.objects.get().pk))

    expect(other.get_by_text("All 5 proofs are in.")).to_be_visible()
    expect(other.get_by_role("heading", name="Before and after")).to_be_visible()
    page = asks.open(PAGE)
    expect(page.get_by_text("All five are in: product repositories may rely on it.")).to_be_visible()
    expect(page.get_by_role("link", name="Create lane")).to_be_visible()
    assert [*barriers(other), *sideways(other), *barriers(page), *sideways(page)] == []
    assert asks.complaints + decides.complaints == []


def addresses(lane: Lane, planner: User) -> list[str]:
    """Every page of lanes, in every state worth a look."""
    host, anothers = lane.host, "another"
    planned = plan_change("lane.create", host, by=person(planner), lane=LANE)
    good = a_lane(host, name="good", service_user="lane-other", agent_id=7)
    looked_at(good, seen_of(good))
    bad = a_lane(
        host,
        name="a-name-" + 57 * "x",
        agent_id=8,
        service_user="lane-third",
        scope="somebody-with-a-long-name/a-repository-with-a-long-name-too",
    )
    looked_at(
        bad,
        seen(lane_name=bad.name, listing=None, service=a_service(**STOPPED), unmeasured={"listing": "x" * 300}),
        ago=timedelta(hours=5),
    )
    Host.objects.filter(pk=host.pk).update(approved=False)
    blocked = plan_change("lane.create", Host.objects.get(pk=host.pk), by=person(planner), lane=LANE)
    a_lane_host(anothers)
    return [
        "/",
        "/lanes/",
        PAGE,
        f"/lanes/{good.name}/",
        f"/lanes/{bad.name}/",
        f"/lanes/{good.name}/readiness/",
        f"/lanes/{bad.name}/readiness/",
        f"/hosts/{host.name}/lanes/",
        f"/hosts/{anothers}/lanes/",
        f"/changes/{planned.pk}/",
        f"/changes/{blocked.pk}/",
        "/changes/",
    ]


@pytest.mark.any_database
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_fit_to_be_looked_at(
    new_context: Windows, live_server: LiveServer, lane: Lane, planner: User, scheme: str, width: int
) -> None:
    pages = addresses(lane, planner)
    visit = log_in(
        new_context, live_server.url, "planner", color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    found: list[str] = []
    for address in pages:
        page = visit.open(address)
        found += [*sideways(page), *barriers(page)]
    problems = visit.complaints + found
    assert not problems, "\n".join(problems)
