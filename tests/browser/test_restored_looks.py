"""The first page and the audit while nothing is begun on any host: why, and what to do, fit to be looked at."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext
from pytest_django.live_server_helper import LiveServer

from audits import rebuild, segments
from audits.models import ChainHead
from launchplane.access.models import User
from launchplane.hosts.models import Host
from tests.audits.making import a_record
from tests.audits.restoring import forget_behind
from tests.browser.conftest import Visit
from tests.browser.test_looks import barriers, sideways

pytestmark = [pytest.mark.browser, pytest.mark.any_database, pytest.mark.req("X19")]


def ahead() -> None:
    forget_behind(ChainHead.objects.get().seq - 1)


def came_back() -> None:
    ahead()
    rebuild.from_segments()


def lost() -> None:
    for path in segments.files():
        path.unlink()


@pytest.mark.parametrize("state", [ahead, came_back, lost])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_said_on_the_first_page_and_on_the_audit(
    new_context: Callable[..., BrowserContext],
    live_server: LiveServer,
    operator: User,
    host: Host,
    scheme: str,
    state: Callable[[], None],
) -> None:
    a_record(), a_record()
    segments.flush()
    visit = Visit(new_context(color_scheme=scheme, viewport={"width": 390, "height": 900}).new_page(), live_server.url)
    visit.log_in()
    state()
    found = []
    for width in (1280, 390):
        visit.page.set_viewport_size({"width": width, "height": 900})
        for address in ("/", "/audit/"):
            page = visit.open(address)
            assert "audits a" in page.inner_text("main")
            found += [*sideways(page), *barriers(page)]
    assert visit.complaints + found == []
