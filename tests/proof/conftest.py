"""An engine and a registry of our own, both empty of what a test pulls."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from hygiene.proof.access_log import AccessLog
from hygiene.proof.engine import ProofEngine
from launchplane.sandbox.dockerd import PrivateEngine
from tests import registry as registries
from tests.engine_things import empty
from tests.registry import Registry


@pytest.fixture(scope="session")
def proof_engine() -> Iterator[PrivateEngine]:
    with tempfile.TemporaryDirectory(prefix="lp-proof-") as folder:
        engine = PrivateEngine(Path(folder))
        engine.start()
        try:
            yield engine
        finally:
            engine.stop()


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    with registries.serving() as registry:
        yield registry


@pytest.fixture
def client(proof_engine: PrivateEngine) -> Iterator[docker.DockerClient]:
    """The SDK on that engine, which is empty when a test begins."""
    client = docker.DockerClient(base_url=proof_engine.url, version="1.41", timeout=120)
    empty(client)
    yield client
    client.close()


@pytest.fixture
def engine(proof_engine: PrivateEngine, client: docker.DockerClient) -> ProofEngine:
    return ProofEngine(proof_engine.url)


@pytest.fixture
def log(registry: Registry) -> AccessLog:
    return AccessLog(registry.log)
