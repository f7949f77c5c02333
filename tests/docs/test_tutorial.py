"""The tutorial, walked as it is written, on a sandbox of its own: its buttons are pressed and its commands run."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.docs.reading import PROJECT, Block, blocks, text_of
from tests.server.test_server import Server, free_port

TUTORIAL = "docs/tutorial.md"
SECONDS = 1000
LOGIN = re.compile(r"(operator|approver) +(\S+)$", re.MULTILINE)

pytestmark = [pytest.mark.engine, pytest.mark.browser, pytest.mark.any_database]


def log_in(new_context: Callable[..., BrowserContext], server: Server, name: str, password: str) -> Page:
    page = new_context(base_url=f"http://127.0.0.1:{server.port}").new_page()
    page.goto("/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    return page


def looks_around(page: Page) -> None:
    """Sections 2 to 5."""
    page.get_by_role("link", name="sandbox").first.click()
    expect(page.get_by_text("Would really be freed").first).to_be_visible()
    expect(page.get_by_role("heading", name="What is wrong")).to_be_visible()
    page.get_by_role("link", name="Inventory", exact=True).click()
    page.get_by_label("Class").select_option("could go")
    page.get_by_role("button", name="Show").click()
    for box in page.locator("tbody").get_by_role("checkbox").all()[:2]:
        box.check()
    page.get_by_role("button", name="What would the ticked ones free?").click()
    expect(page.get_by_role("heading", name="would free")).to_be_visible(timeout=30 * SECONDS)
    page.get_by_label("Class").select_option("any class")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="buildx_buildkit_ci0_state").click()
    expect(page.get_by_role("heading", name="Why is this still here?")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="shop_database_2023").click()
    expect(page.get_by_text("Volumes hold data").first).to_be_visible()


def lets_it_be_changed(page: Page) -> None:
    """Section 7."""
    page.goto("/hosts/sandbox/")
    page.locator("main").get_by_role("link", name="Settings").click()
    page.get_by_label("Approved").check()
    page.get_by_label("Hygiene enabled").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()


def plans_and_asks(page: Page) -> None:
    """Sections 8 and 9."""
    page.goto("/hosts/sandbox/")
    page.get_by_role("link", name="Plan a clean-up").click()
    page.get_by_role("button", name="Plan it Remove labelled dangling images").click()
    expect(page.get_by_role("heading", name="Remove 2 dangling images that carry")).to_be_visible(timeout=90 * SECONDS)
    expect(page.get_by_text("Cannot be undone").first).to_be_visible()
    expect(page.get_by_text("at most 2 times")).to_be_visible()
    page.get_by_label("Why is it needed?").fill("left over from builds")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("somebody else has to decide").first).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def approves(page: Page) -> None:
    """Sections 10 and 11."""
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    page.get_by_role("link", name="Remove labelled dangling images").click()
    page.get_by_label("Reason").fill("looked at both")
    page.get_by_role("button", name="Approve these 2").click()
    expect(page.get_by_role("heading", name="What came of it")).to_be_visible(timeout=90 * SECONDS)
    expect(page.get_by_text("Everything that must stay is there.")).to_be_visible()
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()
    expect(page.get_by_role("heading", name="History")).to_be_visible()


def proves(block: Block, server: Server, folder: Path) -> None:
    """Section 12, and what it says of an altered letter."""
    for name in ("manage.py", "docs", ".venv"):
        (folder / name).symlink_to(PROJECT / name)
    done = shell(block.text, server, folder)
    assert (done.returncode, "intact: " in done.stdout) == (0, True), done.stdout + done.stderr
    exported = (folder / "evidence.ndjson").read_text()
    (folder / "evidence.ndjson").write_text(exported.replace("left over from builds", "left over from build5"))
    done = shell(block.text.splitlines()[-1], server, folder)
    assert (done.returncode, "was altered" in done.stdout) == (4, True)


def shell(script: str, server: Server, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_tutorial_goes_as_it_says(
    new_context: Callable[..., BrowserContext], tmp_path: Path, database: dict[str, str]
) -> None:
    last = [block for block in blocks("sh") if block.document == TUTORIAL][-1]
    assert "verify_audit.py" in last.text
    with Server(tmp_path / "var", free_port(), database | {"LAUNCHPLANE_SANDBOX": "always"}) as server:
        passwords = dict(LOGIN.findall(server.start()))
        operator = log_in(new_context, server, "operator", passwords["operator"])
        looks_around(operator)
        lets_it_be_changed(operator)
        plans_and_asks(operator)
        approves(log_in(new_context, server, "approver", passwords["approver"]))
        (tmp_path / "clone").mkdir()
        proves(last, server, tmp_path / "clone")


@pytest.mark.parametrize("word", ["Approved", "Hygiene enabled", "Plan it", "Ask for approval", "Approve these 2"])
def test_the_tutorial_names_what_the_walk_presses(word: str) -> None:
    assert f"**{word}**" in text_of(TUTORIAL).replace("\n", " ")
