"""A routine on a real engine while something is in its way: skipped with the reason, and done once that is over."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import docker
import pytest

from audits.models import AuditRecord
from hygiene.apply import HygieneRun
from hygiene.looking import last_seen
from hygiene.plan.aged import plan_aged
from launchplane.access.models import User
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.requests import find_change
from launchplane.hosts.contracts import CompetingPrune
from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import a_container, a_running_container, an_image, build, cache_bytes, image_ids
from tests.factories import a_host, an_inventory, observed, readings
from tests.hygiene_changes.clock import Clock, seen_and_a_day_later
from tests.hygiene_changes.ways import AGED, BUILD_CACHE, RETIRE, applied, approved, person, scheduled, standing

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.each_database]

# the engine's own client: another one may come first on the PATH
CLIENT = "/usr/bin/docker"
PATTERNS = ["^[a-z0-9]{1,4}-[0-9a-f]{6}_ci_.*_net_", "^ci_run_"]
SLOW = """FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sleep", "600"]
"""
PATIENCE_SECONDS = 60


def until(holds: Callable[[], object]) -> None:
    """Wait for what another process does."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < give_up_at, "it never came to that"
        time.sleep(0.1)


@contextmanager
def a_full_disk_is_not_there(client: docker.DockerClient, engine: PrivateEngine, folder: Path) -> Iterator[None]:
    """The disk is under the threshold."""
    Host.objects.update(pressure_percent=100)
    yield
    Host.objects.update(pressure_percent=1)


@contextmanager
def a_run(client: docker.DockerClient, engine: PrivateEngine, folder: Path) -> Iterator[None]:
    """A container of a job, as its pattern tells."""
    job = a_running_container(client, "ab1-0f3c9d_ci_shop_net_1")
    yield
    job.remove(force=True)
    client.images.remove("busy:1")


@contextmanager
def a_stack(client: docker.DockerClient, engine: PrivateEngine, folder: Path) -> Iterator[None]:
    """A stack of a job that runs with all its tasks."""
    a_running_container(client, "maker").remove(force=True)  # leaves its image
    labels = {"com.docker.stack.namespace": "ci_run_7"}
    command = ["/bin/busybox", "sleep", "600"]
    service = client.services.create("busy:1", command, name="web", labels=labels, stop_grace_period=1)
    until(lambda: "running" in {task["Status"]["State"] for task in service.tasks()})
    yield
    service.remove()
    # the SDK's own list asks for each one that it saw, which may be gone by then
    until(lambda: not client.api.containers(all=True, filters={"name": "web"}))
    client.images.remove("busy:1")


@contextmanager
def an_unmet_service(client: docker.DockerClient, engine: PrivateEngine, folder: Path) -> Iterator[None]:
    """A service whose image is nowhere."""
    service = client.services.create("nowhere/to-be-found:1", name="shop_web")
    yield
    service.remove()


@contextmanager
def a_build(client: docker.DockerClient, engine: PrivateEngine, folder: Path) -> Iterator[None]:
    """A build by the engine's own BuildKit, in the middle of a step."""
    (folder / "Dockerfile").write_text(SLOW)
    shutil.copy("/bin/busybox", folder / "busybox")
    environment = {"DOCKER_BUILDKIT": "1", "DOCKER_CONFIG": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin"}
    command = [CLIENT, "-H", engine.url, "build", "--network=none", "-t", "never:1", str(folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as building:
        until(lambda: any(record["InUse"] for record in client.df()["BuildCache"] or []))
        yield
        building.terminate()
    until(lambda: not any(record["InUse"] for record in client.df()["BuildCache"] or []))


@contextmanager
def a_worker(client: docker.DockerClient, engine: PrivateEngine, folder: Path) -> Iterator[None]:
    """A process of a runner that has a job."""
    program = folder / "bin" / "Runner.Worker"
    program.parent.mkdir()
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "600"]) as worker:
        yield
        worker.kill()


Obstacle = Callable[[docker.DockerClient, PrivateEngine, Path], AbstractContextManager[None]]
OBSTACLES = [
    pytest.param(a_full_disk_is_not_there, "pressure: ", "% (< 100 %): keeping the local image cache", id="disk",
                 marks=[pytest.mark.req("P3"), pytest.mark.req("P14"), pytest.mark.req("P15")]),
    pytest.param(a_run, "idle: ", "A run is in progress: container ab1-0f3c9d_ci_shop_net_1.", id="run",
                 marks=pytest.mark.req("P4")),
    pytest.param(a_stack, "idle: ", "A run is in progress: stack ci_run_7.", id="stack", marks=pytest.mark.req("P4")),
    pytest.param(an_unmet_service, "converged: ", "Not every service has its tasks: shop_web runs 0 of 1.",
                 id="service", marks=pytest.mark.req("P5")),
    pytest.param(a_build, "no_build: ", "A build uses the build cache of the engine.", id="build",
                 marks=pytest.mark.req("H15")),
    pytest.param(a_worker, "idle: ", "A job runs: Runner.Worker is process", id="worker",
                 marks=[pytest.mark.req("H18"), pytest.mark.alone]),
]  # fmt: skip


@pytest.mark.req("P6")
@pytest.mark.req("P33")
@pytest.mark.usefixtures("swarm")
@pytest.mark.parametrize(("obstacle", "gate", "reason"), OBSTACLES)
@pytest.mark.parametrize("kind", [BUILD_CACHE, AGED])
def test_a_routine_skips_with_the_reason_and_is_done_when_clear(  # noqa: PLR0917 - a matrix of what may be in the way
    client: docker.DockerClient,
    host: Host,
    own_engine: PrivateEngine,
    operator: User,
    approver: User,
    clock: Clock,
    tmp_path: Path,
    kind: str,
    obstacle: Obstacle,
    gate: str,
    reason: str,
) -> None:
    Host.objects.filter(pk=host.pk).update(run_patterns=PATTERNS)
    host.budgets.filter(scope="build_cache").update(max_bytes=None, reserve_bytes=0)
    build(client)
    an_image(client, "dangling")
    app = an_image(client, "app", tag="app:1")
    a_container(client, app, "left-over")
    if kind == AGED:
        seen_and_a_day_later(host, clock)

    host.refresh_from_db()
    standing(kind, host, operator, approver)

    with obstacle(client, own_engine, tmp_path):
        host.refresh_from_db()
        had = (cache_bytes(client) > 0, image_ids(client), len(client.containers.list(all=True)))
        said = scheduled(kind, host)
        assert had == (cache_bytes(client) > 0, image_ids(client), len(client.containers.list(all=True)))
        assert not Change.objects.filter(standing__isnull=False).exists()
    host.refresh_from_db()
    scheduled(kind, host)

    assert said.startswith(f"Skipped. {gate}")
    assert reason in said
    told = AuditRecord.objects.filter(kind=kind, status="skipped").get()
    assert told.host == host.name
    change = Change.objects.filter(standing__isnull=False).get()
    assert change.status == Change.Status.COMPLETED, change.sentence
    if kind == BUILD_CACHE:
        assert cache_bytes(client) == 0
    else:  # for the engine the cache is of today: it keeps that by its own clock
        assert {image.id for image in client.images.list()} == {app}
        assert client.containers.list(all=True) == []


@pytest.mark.req("H34")
@pytest.mark.req("H35")
def test_a_retirement_waits_for_phase_one_and_goes_once_that_left_its_evidence(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    build(client)
    an_image(client, "old", tag="app:old")
    host.budgets.filter(scope="build_cache").update(max_bytes=None, reserve_bytes=0)
    retirement = approved(RETIRE, host, operator, approver, items=["image:app:old"])

    early = apply_change(retirement, by=person(operator))
    there = image_ids(client)
    first = applied(BUILD_CACHE, host, operator, approver)
    late = apply_change(find_change(retirement.pk), by=person(operator))

    assert (early.status, "phase_one: No build cache clean-up" in early.sentence) == (Change.Status.APPROVED, True)
    assert len(there) == 1
    assert (first.status, late.status) == (Change.Status.COMPLETED, Change.Status.COMPLETED), late.sentence
    assert image_ids(client) == set()


@pytest.mark.req("H61")
@pytest.mark.req("P11")
def test_another_prune_that_was_seen_on_the_host_keeps_the_broad_kind_from_its_schedule(db: None) -> None:
    host = a_host()
    prune = CompetingPrune(source="docker-prune.timer", what="docker system prune -f", enabled=True)
    observed(host, an_inventory(), reading=readings(competing_prunes=(prune,)))
    scene = last_seen(host)
    assert scene is not None

    gates = {gate.name: gate for gate in HygieneRun(host, plan_aged(scene)).gates()}

    assert gates["no_other_prune"].state == "closed"
    assert gates["no_other_prune"].evidence == {"competing_prunes": ("docker-prune.timer",)}
