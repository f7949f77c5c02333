"""A real browser, which fails a test for whatever its console complains about."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from launchplane.access.models import User
from launchplane.changes import kinds
from launchplane.hosts.models import Host
from launchplane.schedule.heartbeat import QUEUES, beat
from launchplane.schedule.tick import adopt
from tests.changes import toy
from tests.changes.ways import (
    a_folder_host,
)
from tests.factories import PASSWORD, a_host, a_month_of, a_person

# playwright's own event loop runs in the thread in which a test asks the database
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

Windows = Callable[..., BrowserContext]

VIOLATIONS = """document.addEventListener("securitypolicyviolation", violation =>
    console.error(`CSP: ${violation.violatedDirective} ${violation.blockedURI} ${violation.sample}`))"""

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's chromium, which asks nothing of the network by itself."""
    return {**browser_type_launch_args, "executable_path": "/usr/bin/chromium", "args": QUIET}


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def operator(transactional_db: None) -> User:
    """The operator, who is an administrator too, so that all pages can be looked at."""
    person = a_person()
    person.is_superuser = True
    person.save()
    return person


@pytest.fixture
def host(transactional_db: None) -> Host:
    """A host that was observed for a month, with workers that are alive."""
    host = a_host()
    adopt(host)
    a_month_of(host)
    for queue in QUEUES:
        beat(queue)
    return host


class Visit:
    """A browser window with the operator in front of it; `complaints` is what its console said."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.add_init_script(VIOLATIONS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def log_in(self) -> Page:
        page = self.open("/accounts/login/")
        page.get_by_label("Username").fill("operator")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page


@pytest.fixture
def visit(new_context: Callable[..., BrowserContext], live_server: LiveServer, operator: User) -> Iterator[Visit]:
    """A window at 1280 × 900; the test fails if its console complained."""
    visit = Visit(new_context(viewport={"width": 1280, "height": 900}).new_page(), live_server.url)
    yield visit
    assert visit.complaints == []


def log_in(new_context: Windows, address: str, name: str, **window: object) -> Visit:
    visit = Visit(new_context(**window).new_page(), address)
    page = visit.open("/accounts/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return visit


@pytest.fixture
def folder(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[Host]:
    """A host with files that the toy kinds remove, and workers that are alive."""
    settings.EVIDENCE_DIR = tmp_path / "evidence"
    toy.register_toys()
    for queue in QUEUES:
        beat(queue)
    yield a_folder_host(tmp_path / "host", name="folder")
    toy.hook[0] = toy.nothing
    kinds.unregister(toy.ONCE)
    kinds.unregister(toy.ROUTINE)


@pytest.fixture
def planner(transactional_db: None) -> User:
    return a_person("planner")


@pytest.fixture
def approver(transactional_db: None) -> User:
    return a_person("approver", group="Approvers")
