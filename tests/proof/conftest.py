"""An engine and a registry of our own, both empty of what a test pulls."""

from collections.abc import Iterator

import docker
import pytest

from hygiene.proof.access_log import AccessLog
from hygiene.proof.engine import ProofEngine
from launchplane.sandbox.dockerd import PrivateEngine
from tests import registry as registries
from tests.engines import an_engine, emptied
from tests.registry import Registry


@pytest.fixture(scope="session")
def proof_engine() -> Iterator[PrivateEngine]:
    with an_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    with registries.serving() as registry:
        yield registry


@pytest.fixture
def client(proof_engine: PrivateEngine) -> Iterator[docker.DockerClient]:
    """The SDK on that engine, which is empty when a test begins."""
    with emptied(proof_engine) as client:
        yield client


@pytest.fixture
def engine(proof_engine: PrivateEngine, client: docker.DockerClient) -> ProofEngine:
    return ProofEngine(proof_engine.url)


@pytest.fixture
def log(registry: Registry) -> AccessLog:
    return AccessLog(registry.log)
