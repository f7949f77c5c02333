"""Every page, light and dark, wide and narrow: no complaint, nothing to push sideways, no barrier."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from hygiene.lint.lint import Options, lint
from hygiene.models import ObservationRun, ProductRepository, Protection, Snapshot
from hygiene.repositories import keep_result
from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.hosts.models import Host
from tests.browser.conftest import Visit
from tests.factories import a_host

pytestmark = [pytest.mark.browser, pytest.mark.any_database]


def addresses(host: Host) -> list[str]:
    run = ObservationRun.objects.create(
        host=a_host("never-seen"), status="running", asked_by="operator", asked_at=timezone.now()
    )
    newest, older = Snapshot.objects.filter(host=host)[:2]
    protection = Protection.objects.filter(host=host).first()
    assert protection is not None
    repository = linted(host)
    pages = f"/hosts/{host.name}/"
    return [
        "/",
        pages,
        f"{pages}inventory/",
        f"{pages}inventory/?text=evil",
        f"{pages}resource/?kind=volume&key=runner-state",
        f"{pages}budgets/?scope=images&max_bytes=&reserve_bytes=0&min_age_seconds=soon",
        f"{pages}budgets/?scope=images&max_bytes=&reserve_bytes=0&min_age_seconds=1+day",
        f"{pages}snapshots/?from={older.pk}&to={newest.pk}",
        "/hosts/never-seen/",
        f"/runs/{run.pk}/",
        "/accounts/password/",
        "/admin/",
        "/admin/hosts/host/",
        f"/admin/hosts/host/{host.pk}/change/",
        "/admin/hygiene/budget/",
        "/admin/hygiene/budget/add/",
        f"/admin/hygiene/protection/{protection.pk}/change/",
        f"/admin/hygiene/protection/{protection.pk}/delete/",
        f"/admin/hygiene/snapshot/{newest.pk}/change/",
        "/admin/hygiene/productrepository/",
        f"/admin/hygiene/productrepository/{repository.pk}/change/",
        "/admin/schedule/schedule/",
        "/admin/access/user/",
        "/admin/access/user/add/",
        f"/admin/access/user/{User.objects.get(username='operator').pk}/change/",
        "/admin/access/credentialchange/",
        "/admin/access/apitoken/",
        "/admin/access/apitoken/add/",
        "/admin/access/trustedworkflow/",
        "/admin/access/trustedworkflow/add/",
        f"/admin/auth/group/{Group.objects.get(name='Approvers').pk}/change/",
        f"/admin/hosts/host/{host.pk}/rights/",
    ]


def linted(host: Host) -> ProductRepository:
    """A repository that uses the host and prunes it."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "tidy.sh").write_text("docker system prune -af\n" * 3)
        by = Principal.person(User.objects.get(username="operator"), source="command")
        return keep_result("acme/website", lint([Path(folder)]), by=by, hosts=[host], options=Options())


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_fit_to_be_looked_at(
    new_context: Callable[..., BrowserContext],
    live_server: LiveServer,
    operator: User,
    host: Host,
    scheme: str,
    width: int,
) -> None:
    context = new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    visit = Visit(context.new_page(), live_server.url)
    visit.open("/accounts/login/")
    found = [*barriers(visit.page), *sideways(visit.page)]
    visit.log_in()
    for address in addresses(host):
        page = visit.open(address)
        found += [*sideways(page), *barriers(page)]
    problems = visit.complaints + found
    assert not problems, "\n".join(problems)


def sideways(page: Page) -> list[str]:
    """Whether the page as a whole is wider than the window."""
    width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [f"{page.url}: {width} pixels too wide"] if width > 0 else []


def barriers(page: Page) -> list[str]:
    """What axe finds serious or critical. Its preloading is off: it inlines style sheets, which the policy refuses."""
    options = {"resultTypes": ["violations"], "preload": False}
    violations = Axe().run(page, options=options).response["violations"]
    return [
        f"{page.url}: {violation['id']}: {node['html'][:160]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
