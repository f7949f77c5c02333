"""What an operator comes for, in a real browser: from the login to why something is still here."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect
from pytest_django.live_server_helper import LiveServer

from hygiene.models import ObservationRun
from launchplane.access.models import User
from launchplane.hosts.models import Host
from tests.browser.conftest import Visit
from tests.factories import a_busy_inventory, observed

pytestmark = pytest.mark.browser


def test_from_the_login_to_why_something_is_still_here(visit: Visit, host: Host) -> None:
    page = visit.log_in()
    page.get_by_role("link", name=host.name).first.click()
    expect(page.get_by_role("heading", name="What is wrong")).to_be_visible()
    page.get_by_role("link", name="Inventory", exact=True).click()
    page.get_by_label("Find").fill("runner-state")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="runner-state").click()
    expect(page.get_by_role("heading", name="Why is this still here?")).to_be_visible()
    expect(page.get_by_text("Never touched: state of a CI runner")).to_be_visible()


def test_a_selection_is_answered_on_the_same_page(visit: Visit, host: Host) -> None:
    page = visit.log_in()
    visit.open(f"/hosts/{host.name}/inventory/")
    page.get_by_label("Select buildx_buildkit_old-ci0_state").check()
    page.get_by_label("Select of-a-plugin").check()
    page.get_by_role("button", name="What would the ticked ones free?").click()
    expect(page.get_by_text("These 2 together would free an amount that can’t be told")).to_be_visible()
    page.get_by_label("Select of-a-plugin").uncheck()
    page.get_by_role("button", name="What would the ticked ones free?").click()
    expect(page.get_by_role("heading", name="This one would free 30.1 GB")).to_be_visible()
    expect(page.get_by_label("Select buildx_buildkit_old-ci0_state")).to_be_checked()


def test_observe_now_shows_its_progress_and_then_the_new_report(visit: Visit, host: Host) -> None:
    page = visit.log_in()
    visit.open(f"/hosts/{host.name}/")
    page.get_by_role("button", name="Observe now").click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    runs = ObservationRun.objects.filter(host=host)
    runs.update(status="running", started_at=timezone.now(), progress="asking the engine")
    expect(page.get_by_text("asking the engine")).to_be_visible()
    observed(host, a_busy_inventory())
    runs.update(status="done", ended_at=timezone.now(), sentence="Saw it all.")
    expect(page.get_by_text("observed just now")).to_be_visible()
    expect(page.get_by_role("button", name="Observe now")).to_be_enabled()


def test_it_all_works_without_javascript(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, operator: User, host: Host
) -> None:
    visit = Visit(new_context(java_script_enabled=False).new_page(), live_server.url)
    page = visit.log_in()
    visit.open(f"/hosts/{host.name}/inventory/?kind=volume")
    page.get_by_label("Select buildx_buildkit_old-ci0_state").check()
    page.get_by_role("button", name="What would the ticked ones free?").click()
    expect(page.get_by_role("heading", name="This one would free 30.1 GB")).to_be_visible()
    page.get_by_role("button", name="Observe now").click()
    page.get_by_role("link", name="How far is it?").click()
    ObservationRun.objects.filter(host=host).update(status="done", sentence="Saw it all.")
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("Saw it all.")).to_be_visible()


def test_the_keyboard_alone_is_enough(visit: Visit, host: Host) -> None:
    page = visit.log_in()
    # a key that comes before the page is drawn goes to the page before it
    expect(page.get_by_role("link", name=host.name).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name=host.name).first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=host.name)).to_be_visible()


def test_a_shortened_id_is_whole_when_copied(visit: Visit, host: Host) -> None:
    page = visit.log_in()
    visit.open(f"/hosts/{host.name}/inventory/?text=ci.managed")
    shortened = page.locator("td.item code.id").first
    whole = shortened.get_attribute("title")
    copied = shortened.evaluate("node => { getSelection().selectAllChildren(node); return getSelection().toString() }")
    assert copied == whole
    width = shortened.bounding_box()
    assert width is not None
    assert width["width"] < 250
