"""Two images and an orphan builder's state are retired through the browser, on a real engine, and nothing else goes."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import docker
import pytest
from django.db import connections
from playwright.sync_api import BrowserContext, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hygiene.services import observe_host
from launchplane.changes.apply import apply_queued
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from launchplane.hosts.services import add_host
from launchplane.sandbox.dockerd import PrivateEngine
from launchplane.sandbox.leftovers import ORPHAN_STATE, WARM_BUILDER, plant
from launchplane.schedule.heartbeat import QUEUES, beat
from tests.browser.test_changes import log_in
from tests.factories import a_person
from tests.hygiene_changes.ways import phase_one_done

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.fixture
def planted() -> Iterator[PrivateEngine]:
    """The sandbox's leftovers on an engine of their own, since some of them go."""
    with tempfile.TemporaryDirectory(prefix="lp-retire-") as folder:
        engine = PrivateEngine(Path(folder))
        engine.start()
        try:
            plant(engine.url)
            yield engine
        finally:
            engine.stop()


@pytest.fixture
def engine(planted: PrivateEngine) -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=planted.url, version="1.41", timeout=60)
    yield client
    client.close()


@pytest.fixture
def host(transactional_db: None, planted: PrivateEngine, tmp_path: Path, settings: Settings) -> Host:
    settings.EVIDENCE_DIR = tmp_path / "evidence"
    host = add_host(name="chris-testing", docker_url=planted.url, approved=True)
    Host.objects.filter(pk=host.pk).update(hygiene_enabled=True)
    phase_one_done(host)
    observe_host(host, asked_by="a test")
    for queue in QUEUES:
        beat(queue)
    return host


def everything(engine: docker.DockerClient) -> set[str]:
    """The names of all that is there."""
    images = {image.id for image in engine.images.list(all=True)}
    containers = {container.name for container in engine.containers.list(all=True)}
    return images | containers | {volume.name for volume in engine.volumes.list()}


@pytest.mark.req("H38")
def test_a_retirement_from_the_inventory_to_its_proof(
    new_context: Callable[..., BrowserContext], live_server: LiveServer, host: Host, engine: docker.DockerClient
) -> None:
    a_person("planner")
    a_person("approver", group="Approvers")
    old = engine.images.get("shop/web:1.4").id
    dangling = engine.images.list(filters={"dangling": True})[0].id
    before = everything(engine)
    going = {old, dangling, ORPHAN_STATE}

    asks = log_in(new_context, live_server.url, "planner")
    page = asks.open(f"/hosts/{host.name}/inventory/")
    for value in (f"image:{old}", f"image:{dangling}", f"volume:{ORPHAN_STATE}"):
        page.locator(f'input[value="{value}"]').check()
    page.get_by_role("button", name="Plan to retire the ticked ones").click()
    expect(page.get_by_role("heading", name="Retire 2 images and 1 volume")).to_be_visible(timeout=60_000)
    page.get_by_label("Why is it needed?").fill("left over from the March builders")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("waits for approval")).to_be_visible()

    decides = log_in(new_context, live_server.url, "approver")
    other = decides.page
    other.get_by_role("link", name="Retire named items").click()
    expect(other.get_by_role("rowheader", name="Cannot be undone")).to_be_visible()
    other.get_by_label("Reason").fill("looked at it")
    other.get_by_label("To approve, type").fill(host.name)
    other.get_by_role("button", name="Approve these 3").click()
    expect(other.get_by_text("Approved.", exact=True)).to_be_visible()

    change = Change.objects.get(kind="hygiene.retire")
    worker = Thread(target=_work, args=(str(change.pk),))
    worker.start()
    expect(other.get_by_role("heading", name="What came of it")).to_be_visible(timeout=60_000)
    worker.join(60)
    expect(other.get_by_text("Everything that must stay is there.")).to_be_visible()
    assert before - everything(engine) == going
    assert everything(engine) <= before
    assert engine.containers.get(WARM_BUILDER).status == "running"
    assert asks.complaints + decides.complaints == []


def _work(change_id: str) -> None:
    try:
        apply_queued(change_id)
    finally:
        connections.close_all()
