"""A host whose engine is real: the planted one, or one of its own to remove things from."""

from collections.abc import Iterator

import docker
import pytest

from launchplane.hosts.models import Host
from launchplane.hosts.services import add_host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engines import an_engine


@pytest.fixture
def host(planted_engine: PrivateEngine, db: None) -> Host:
    """The planted engine, added as anybody adds a host."""
    return add_host(name="ci-1", docker_url=planted_engine.url)


@pytest.fixture
def client(planted_engine: PrivateEngine) -> Iterator[docker.DockerClient]:
    """The SDK, on the planted engine."""
    client = docker.DockerClient(base_url=planted_engine.url, version="1.41")
    yield client
    client.close()


@pytest.fixture(scope="session")
def scratch_engine() -> Iterator[PrivateEngine]:
    """A second engine, for tests that remove what they find."""
    with an_engine() as engine:
        yield engine
