"""A plan from the click to where it can be read: with a script and without, and when its worker dies."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from launchplane.access.models import User
from launchplane.changes import lock
from launchplane.changes.models import PlanRun
from launchplane.changes.plan_runs import run_queued
from launchplane.hosts.models import Host
from tests.browser.conftest import Windows, log_in

pytestmark = pytest.mark.browser


def test_a_plan_is_followed_and_back_does_not_lead_there_again(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User
) -> None:
    visit = log_in(new_context, live_server.url, "planner")
    page = visit.open("/hosts/folder/changes/plan/")
    page.get_by_role("button", name="Plan it Routine removal of files").dblclick()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    run = PlanRun.objects.get()
    run_queued(run.pk)
    expect(page.get_by_role("button", name="Ask for approval")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="Read the plan")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Plan a clean-up")).to_be_visible()
    page.get_by_role("button", name="Plan it Routine removal of files").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    assert PlanRun.objects.count() == 2
    assert visit.complaints == []


def test_a_plan_whose_worker_died_says_so_by_itself_and_is_planned_again(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User
) -> None:
    visit = log_in(new_context, live_server.url, "planner")
    page = visit.open("/hosts/folder/changes/plan/")
    page.get_by_role("button", name="Plan it Routine removal of files").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    PlanRun.objects.update(status="running", started_at=timezone.now(), machine=lock.machine())
    expect(page.get_by_text("Its worker ended before the plan was made.")).to_be_visible()
    page.get_by_role("button", name="Plan it again").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    run_queued(PlanRun.objects.latest("pk").pk)
    expect(page.get_by_role("button", name="Ask for approval")).to_be_visible()
    assert visit.complaints == []


def test_a_plan_is_followed_without_javascript(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User
) -> None:
    page = log_in(new_context, live_server.url, "planner", java_script_enabled=False).open(
        "/hosts/folder/changes/plan/"
    )
    page.get_by_role("button", name="Plan it Routine removal of files").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    run_queued(PlanRun.objects.get().pk)
    page.get_by_role("link", name="Look again").click()
    page.get_by_role("link", name="Read the plan").click()
    expect(page.get_by_role("button", name="Ask for approval")).to_be_visible()
