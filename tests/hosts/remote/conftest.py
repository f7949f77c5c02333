"""A disposable host with our programs on it, for all tests of a module, and what each test needs of its own."""

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from pytest_django import Settings

from hygiene.models import Budget
from launchplane.access.models import User
from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import LABEL
from tests.factories import a_person
from tests.hosts.remote.installed import NAME, Installed, add, install
from tests.testbed.host import booted


@pytest.fixture(scope="module")
def installed(testbed_engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A host on which nothing is installed until a test does it (`there`)."""
    folder = tmp_path_factory.mktemp("installed")
    with booted(testbed_engine) as host:
        yield Installed(host, folder)


@pytest.fixture
def there(
    installed: Installed, db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Installed:
    """The host, with the programs as they are now, and our key that it lets in."""
    settings.SSH_KEY = settings.VAR / "keys" / "ssh_key"
    settings.EVIDENCE_DIR = tmp_path / "evidence"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    folder = tmp_path / "admin"
    folder.mkdir()
    outcome = install(installed.host, folder, monkeypatch, "--apply", "--json")
    assert outcome.code == 0, outcome.err
    installed.host.must(["rm", "--force", "/var/lib/launchplane/fencing_token"])  # each test has a new database
    return installed


@pytest.fixture
def host(there: Installed) -> Host:
    """The host's record: added over ssh, approved and opted in, with a managed label and budgets to be applied."""
    outcome = add(there.host)
    assert outcome.code == 0, outcome.err
    Host.objects.update(hygiene_enabled=True, managed_label=LABEL, pressure_percent=1, runner_roots=["/srv/runners"])
    Budget.objects.update(mode=Budget.Mode.APPLY, min_age_seconds=0)
    return Host.objects.get(name=NAME)


@pytest.fixture
def client(installed: Installed) -> Iterator[docker.DockerClient]:
    """The SDK on that host's own engine, without ssh; there is nothing on it afterwards."""
    client = docker.DockerClient(base_url=installed.engine_url, version="1.41", timeout=60)
    yield client
    for container in client.containers.list(all=True):
        container.remove(force=True)
    for image in client.images.list(all=True):
        client.images.remove(image.id, force=True)
    client.close()


@pytest.fixture
def operator(db: None) -> User:
    return a_person()


@pytest.fixture
def approver(db: None) -> User:
    return a_person("approver", group="Approvers")
