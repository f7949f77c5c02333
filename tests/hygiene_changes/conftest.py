"""A real engine to remove things from, a host that may be changed, and people who ask and decide."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from django.utils import timezone
from pytest_django import Settings

from hygiene.models import Budget
from launchplane.access.models import User
from launchplane.hosts.models import Host
from launchplane.hosts.services import add_host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import LABEL, a_swarm
from tests.engines import an_engine, emptied
from tests.factories import a_person
from tests.faults import EngineSocket, speaks
from tests.hygiene_changes.clock import Clock
from tests.hygiene_changes.meddling import answered_by


@pytest.fixture(autouse=True)
def quickly(settings: Settings, tmp_path: Path) -> None:
    """What is written down is this test's alone, and a password costs nothing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EVIDENCE_DIR = tmp_path / "evidence"


@pytest.fixture(scope="session")
def own_engine() -> Iterator[PrivateEngine]:
    """An engine for tests that remove what they find."""
    with an_engine() as engine:
        yield engine


@pytest.fixture
def client(own_engine: PrivateEngine) -> Iterator[docker.DockerClient]:
    """The SDK on that engine, which is empty when a test begins."""
    with emptied(own_engine) as client:
        yield client


@pytest.fixture
def address(own_engine: PrivateEngine) -> Iterator[Path]:
    """A socket's path at which the engine answers, until a test lets something else answer there."""
    with tempfile.TemporaryDirectory(prefix="lp-address-") as folder:
        path = Path(folder) / "docker.sock"
        path.symlink_to(own_engine.socket)
        yield path


@pytest.fixture
def host(client: docker.DockerClient, address: Path, db: None) -> Host:
    """The engine as a host that was added, approved and opted in, with a managed label and budgets to be applied."""
    host = add_host(name="chris-testing", docker_url=f"unix://{address}", approved=True)
    Host.objects.filter(pk=host.pk).update(hygiene_enabled=True, managed_label=LABEL, pressure_percent=1)
    Budget.objects.filter(host=host).update(mode=Budget.Mode.APPLY, min_age_seconds=0)
    host.refresh_from_db()
    return host


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, host: Host, own_engine: PrivateEngine) -> Iterator[Clock]:
    """The engine would wait with its events until the future has come, so it is not asked for them."""
    with EngineSocket({"/events": speaks(b"")}, upstream=str(own_engine.socket)) as engine:
        clock = Clock(engine)
        monkeypatch.setattr(timezone, "now", clock.now)
        answered_by(host, engine.url)
        yield clock


@pytest.fixture
def swarm(client: docker.DockerClient) -> Iterator[None]:
    """The engine is a swarm of its own."""
    with a_swarm(client):
        yield


@pytest.fixture
def operator(db: None) -> User:
    return a_person()


@pytest.fixture
def approver(db: None) -> User:
    return a_person("approver", group="Approvers")
