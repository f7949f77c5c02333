"""A change through two people's browsers: one plans and asks, the other decides, a worker applies, both see it."""

from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import connections
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from launchplane.access.models import User
from launchplane.changes.apply import apply_queued
from launchplane.changes.models import Change, PlanRun
from launchplane.changes.plan_runs import run_queued
from launchplane.changes.requests import cancel, request_change
from launchplane.hosts.models import Host
from tests.browser.conftest import Windows, log_in
from tests.changes import toy
from tests.changes.ways import (
    approved,
    decided,
    person,
    planned,
    requested,
)
from tests.factories import PASSWORD, a_person

pytestmark = pytest.mark.browser


class Worker:
    """Applies a change in a thread, and waits before its second item until it is told to go on."""

    def __init__(self, change: Change) -> None:
        self.go_on, self.waits = Event(), Event()
        toy.hook[0] = self._at
        self.thread = Thread(target=self._work, args=(str(change.pk),))

    def _at(self, window: str, step: object) -> None:
        if window == "before_act" and getattr(step, "position", 0) == 2:
            self.waits.set()
            assert self.go_on.wait(60)

    def _work(self, change_id: str) -> None:
        try:
            apply_queued(change_id)
        finally:
            connections.close_all()

    def __enter__(self) -> "Worker":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self.thread.join(60)


@pytest.mark.req("H59")
@pytest.mark.each_database
def test_from_the_plan_of_one_to_the_result_that_both_see(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User, approver: User
) -> None:
    (Path(folder.docker_root) / "precious").write_text("x")
    asks = log_in(new_context, live_server.url, "planner")
    page = asks.page
    page.get_by_role("link", name="folder").first.click()
    page.get_by_role("link", name="Plan a clean-up").click()
    page.get_by_role("button", name="Plan it Routine removal of files").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    run_queued(PlanRun.objects.get().pk)
    expect(page.get_by_role("rowheader", name="Cannot be undone")).to_be_visible()
    page.get_by_label("Why is it needed?").fill("the disk is full")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("waits for approval")).to_be_visible()
    expect(page.get_by_text("You asked for this: somebody else has to decide.")).to_be_visible()

    decides = log_in(new_context, live_server.url, "approver")
    other = decides.page
    expect(other.get_by_role("heading", name="Waiting for you")).to_be_visible()
    other.get_by_role("link", name="Routine removal of files").click()
    expect(other.get_by_text("“the disk is full”").first).to_be_visible()
    other.get_by_label("Reason").fill("looked at it")
    other.get_by_role("button", name="Approve these 4").click()
    expect(other.get_by_text("Approved.", exact=True)).to_be_visible()

    change = Change.objects.get()
    with Worker(change) as worker:
        assert worker.waits.wait(60)
        expect(other.get_by_text("1 of 4 items have their outcome.")).to_be_visible()
        expect(other.get_by_text("In hand: 2 · remove rubbish-1")).to_be_visible()
    expect(other.get_by_role("heading", name="What came of it")).to_be_visible()
    expect(other.get_by_text("Everything that must stay is there.")).to_be_visible()
    expect(other.locator("main").get_by_role("button")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="What came of it")).to_be_visible()
    assert toy.rubbish(folder) == []
    assert asks.complaints + decides.complaints == []


def test_a_change_for_later_is_applied_by_a_click(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User, approver: User
) -> None:
    change = request_change(planned(folder, planner), by=person(planner), reason="tonight", apply_at_once=False)
    decided(change, approver)
    visit = log_in(new_context, live_server.url, "planner")
    page = visit.open(f"/changes/{change.pk}/")
    expect(page.get_by_text("Approved, and applied when somebody says so.")).to_be_visible()
    page.get_by_role("button", name="Apply now").dblclick()
    expect(page.get_by_text("Handed to a worker. This page says how far it is.")).to_be_visible()
    expect(page.get_by_role("button", name="Apply now")).to_have_count(0)
    with Worker(change) as worker:
        assert worker.waits.wait(60)
        expect(page.get_by_text("1 of 3 items have their outcome.")).to_be_visible()
    expect(page.get_by_role("heading", name="What came of it")).to_be_visible()
    page.get_by_role("link", name="audit #").first.click()
    expect(page.get_by_text("intact")).to_be_visible()
    assert visit.complaints == []


def test_an_approval_is_taken_back_and_the_change_is_rejected(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User, approver: User
) -> None:
    change = approved(folder, planner, approver)
    visit = log_in(new_context, live_server.url, "approver")
    page = visit.open(f"/changes/{change.pk}/")
    page.get_by_label("Why should it not run?").fill("not before the release")
    page.get_by_role("button", name="Take the approval back").click()
    expect(page.get_by_text("The approval is taken back. Nothing was changed.")).to_be_visible()
    page.get_by_label("Reason").fill("not this week")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("closed: rejected")).to_be_visible()
    expect(page.get_by_text("Rejected by approver: not this week")).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(0)
    assert visit.complaints == []


def test_a_page_that_is_old_decides_nothing_and_says_how_things_stand(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User, approver: User
) -> None:
    change = requested(folder, planner)
    visit = log_in(new_context, live_server.url, "approver")
    page = visit.open(f"/changes/{change.pk}/")
    cancel(change, by=person(planner), reason="not needed any more")
    page.get_by_label("Reason").fill("looked at it")
    page.get_by_role("button", name="Approve these 3").click()
    expect(page.get_by_role("alert")).to_contain_text("This change is closed: there is nothing to decide.")
    expect(page.get_by_text("Cancelled by planner: not needed any more").first).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(0)


def test_who_may_not_is_told_which_right_is_missing(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User
) -> None:
    change = requested(folder, planner)
    a_person("auditor", group="Auditors")
    visit = log_in(new_context, live_server.url, "auditor")
    page = visit.open(f"/changes/{change.pk}/")
    expect(page.get_by_text("Deciding needs the right “Can approve changes of host”")).to_be_visible()
    page = visit.open("/hosts/folder/changes/plan/")
    expect(page.get_by_text("Planning it needs the right “Can ask for changes of host”").first).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(0)
    assert visit.complaints == []


def test_it_all_works_without_javascript_and_with_an_old_login(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User, approver: User
) -> None:
    (Path(folder.docker_root) / "precious").write_text("x")
    change = requested(folder, planner)
    visit = log_in(new_context, live_server.url, "approver", java_script_enabled=False)
    _forget_the_password()
    page = visit.open(f"/changes/{change.pk}/")
    page.get_by_label("Reason").fill("a long thought")
    page.get_by_label("To approve, type").fill("remove precious")
    page.get_by_role("button", name="Approve these 4").click()
    expect(page.get_by_role("heading", name="Your password, once more")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Approved.", exact=True)).to_be_visible()
    apply_queued(str(change.pk))
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="What came of it")).to_be_visible()


def test_enter_in_the_phrase_never_rejects(
    new_context: Windows, live_server: LiveServer, folder: Host, planner: User, approver: User
) -> None:
    (Path(folder.docker_root) / "precious").write_text("x")
    change = requested(folder, planner)
    page = log_in(new_context, live_server.url, "approver").open(f"/changes/{change.pk}/")
    page.get_by_label("Reason").fill("looked at it")
    page.get_by_label("To approve, type").fill("remove wrong things")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("looked at it")
    page.get_by_label("To approve, type").fill("remove precious")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Approved.", exact=True)).to_be_visible()


@pytest.mark.req("X18")
def test_one_click_freezes_and_the_next_page_says_so(
    new_context: Windows, live_server: LiveServer, folder: Host, approver: User
) -> None:
    visit = log_in(new_context, live_server.url, "approver")
    page = visit.open("/hosts/folder/changes/")
    page.get_by_role("button", name="Freeze folder").click()
    expect(page.get_by_text("folder is frozen by approver")).to_be_visible()
    page.get_by_label("Why may changes go on?").fill("moved")
    page.get_by_role("button", name="Lift the freeze").click()
    expect(page.get_by_text("folder may go on.")).to_be_visible()
    assert visit.complaints == []


def _forget_the_password() -> None:
    """As if everybody had logged in half an hour ago."""
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session

    for row in Session.objects.all():
        store = SessionStore(row.session_key)
        store["password_at"] = 1.0
        store.save()
