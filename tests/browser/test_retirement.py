"""Two images and an orphan builder's state are retired through the browser, on a real engine, by real workers.

Phase one comes first, as it has to. What is asked of the engine afterwards is what is left; what is asked of the audit
is an export that plain Python verifies where nothing of ours is.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest
from django.conf import settings as project
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from hygiene.models import Budget
from hygiene.services import observe_host
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from launchplane.hosts.services import add_host
from launchplane.sandbox.dockerd import PrivateEngine
from launchplane.sandbox.leftovers import ORPHAN_STATE, WARM_BUILDER, plant
from launchplane.schedule.heartbeat import QUEUES, beat
from tests.browser.conftest import Visit, log_in
from tests.browser.test_looks import barriers, sideways
from tests.engines import an_engine
from tests.factories import a_person
from tests.processes import environment

pytestmark = [pytest.mark.browser, pytest.mark.engine]

# a worker, an engine and two browsers on a machine that does other things too
SOON = 60_000


@pytest.fixture
def planted() -> Iterator[PrivateEngine]:
    """The sandbox's leftovers on an engine of their own, since some of them go."""
    with an_engine() as engine:
        plant(engine.url)
        yield engine


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
    Budget.objects.filter(host=host).update(mode=Budget.Mode.APPLY)
    observe_host(host, asked_by="a test")
    for queue in QUEUES:
        beat(queue)
    return host


@pytest.fixture
def workers(host: Host) -> Iterator[None]:
    """`manage.py work` for each queue, as `script/server` runs it: tasks are signed, so they share our key."""
    ours = os.environ | environment() | {"LAUNCHPLANE_SECRET_KEY": project.SECRET_KEY}
    started = [
        subprocess.Popen(
            [sys.executable, "manage.py", "work"],
            env=ours | {"Q_CLUSTER_NAME": queue},
            cwd=project.BASE_DIR,
            start_new_session=True,
        )
        for queue in QUEUES
    ]
    yield
    for process in started:
        process.terminate()
    for process in started:
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def standing_still(engine: PrivateEngine) -> Iterator[None]:
    """The engine answers nothing meanwhile, so that what the pages say then can be read in peace."""
    pid = engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def everything(engine: docker.DockerClient) -> set[str]:
    """The names of all that is there."""
    images = {image.id for image in engine.images.list(all=True)}
    containers = {container.name for container in engine.containers.list(all=True)}
    return images | containers | {volume.name for volume in engine.volumes.list()}


def tags(engine: docker.DockerClient) -> set[str]:
    return {tag for image in engine.images.list() for tag in image.tags}


def asked(page: Page, *, why: str) -> None:
    """From a plan that is there to one that waits for somebody else."""
    page.get_by_label("Why is it needed?").fill(why)
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("waits for approval")).to_be_visible()
    expect(page.get_by_text("You asked for this: somebody else has to decide.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Approve"))).to_have_count(0)


def completed(page: Page) -> None:
    """Its page came to the result by itself, and nothing on it can be clicked any more but links."""
    expect(page.get_by_role("heading", name="What came of it")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("completed", exact=True)).to_be_visible()
    expect(page.get_by_text("Everything that must stay is there.")).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(0)


def phase_one(asks: Visit, decides: Visit, host: Host) -> None:
    """The bounded prune of build cache: planned from the host's page, asked for, approved, applied."""
    page = asks.open(f"/hosts/{host.name}/")
    page.get_by_role("link", name="Plan a clean-up").click()
    page.get_by_role("button", name="Plan it Prune build cache").click()
    expect(page.get_by_role("heading", name="Steps")).to_be_visible(timeout=SOON)
    asked(page, why="phase one")
    other = decides.open("/")
    expect(other.get_by_role("heading", name="Waiting for you")).to_be_visible()
    other.get_by_role("link", name="Prune build cache").click()
    other.get_by_label("Reason").fill("within its budgets")
    other.get_by_role("button", name=re.compile("Approve th")).click()
    completed(other)


@pytest.mark.req("H26", "H32", "H36", "H38", "H39", "X2", "X15")
def test_a_retirement_from_the_inventory_to_its_proof(
    new_context: Callable[..., BrowserContext],
    live_server: LiveServer,
    host: Host,
    planted: PrivateEngine,
    engine: docker.DockerClient,
    workers: None,
    tmp_path: Path,
) -> None:
    a_person("planner")
    a_person("approver", group="Approvers")
    asks = log_in(new_context, live_server.url, "planner")
    decides = log_in(new_context, live_server.url, "approver")
    phase_one(asks, decides, host)
    old = engine.images.get("shop/web:1.4").id
    dangling = engine.images.list(filters={"dangling": True})[0].id
    before, tags_before = everything(engine), tags(engine)

    page = asks.open(f"/hosts/{host.name}/inventory/")
    for value in (f"image:{old}", f"image:{dangling}", f"volume:{ORPHAN_STATE}"):
        page.locator(f'input[value="{value}"]').check()
    page.get_by_role("button", name="Plan to retire the ticked ones").click()
    expect(page.get_by_role("heading", name="Retire 2 images and 1 volume")).to_be_visible(timeout=SOON)
    asked(page, why="left over from the March builders")
    found = [*barriers(page), *sideways(page)]

    other = decides.open("/")
    other.get_by_role("link", name="Retire named items").click()
    expect(other.get_by_role("rowheader", name="Cannot be undone")).to_be_visible()
    other.get_by_label("Reason").fill("looked at it")
    other.get_by_label("To approve, type").fill(host.name)
    found += [*barriers(other), *sideways(other)]
    with standing_still(planted):
        other.get_by_role("button", name="Approve these 3").click()
        expect(other.get_by_text("0 of 3 items have their outcome.")).to_be_visible(timeout=SOON)
        expect(other.get_by_text("Looks at the host and its gates first; nothing is done yet.")).to_be_visible()
        assert page.reload() is not None
        expect(page.get_by_text("Being applied, begun")).to_be_visible()
        found += [*barriers(page), *sideways(page)]
    for window in (other, page):
        completed(window)
        found += [*barriers(window), *sideways(window)]

    assert before - everything(engine) == {old, dangling, ORPHAN_STATE}
    assert everything(engine) <= before
    assert tags(engine) == tags_before - {"shop/web:1.4"}
    assert engine.containers.get(WARM_BUILDER).status == "running"
    change = Change.objects.get(kind="hygiene.retire")
    assert change.approvals.get().approver.get_username() == "approver"
    assert_the_export_verifies(tmp_path, records_of=change)
    assert found + asks.complaints + decides.complaints == []


def assert_the_export_verifies(tmp_path: Path, *, records_of: Change) -> None:
    """Offline: an empty folder, the export, one file of standard library, a Python that knows nothing of ours."""
    manage = [sys.executable, "manage.py", "audits", "export"]
    exported = subprocess.run(
        manage, env=os.environ | environment(), cwd=project.BASE_DIR, check=True, capture_output=True, timeout=60
    ).stdout
    away = tmp_path / "away"
    away.mkdir()
    (away / "export.ndjson").write_bytes(exported)
    shutil.copy(project.BASE_DIR / "docs" / "verify_audit.py", away)
    verified = subprocess.run(
        ["/usr/bin/python3", "-I", "verify_audit.py", "export.ndjson"],
        cwd=away,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    told = [json.loads(line) for line in exported.splitlines()[:-1]]
    about = [(row["kind"], row["status"]) for row in told if row["key"] == str(records_of.pk)]
    assert about == [
        ("hygiene.retire", "planned"),
        ("change.requested", "completed"),
        ("change.approved", "completed"),
        ("hygiene.retire", "planned"),
        ("hygiene.retire", "completed"),
    ]
