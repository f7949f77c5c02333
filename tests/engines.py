"""Docker engines of our own, for as long as a test or a fixture needs them, and the SDK on one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import empty


@contextmanager
def an_engine() -> Iterator[PrivateEngine]:
    """An engine, empty at first, in a folder of its own: `.url`, `.socket`, `.data_root`, `.folder`, `.pid`."""
    with tempfile.TemporaryDirectory(prefix="lp-engine-") as folder:
        engine = PrivateEngine(Path(folder))
        engine.start()
        try:
            yield engine
        finally:
            engine.stop()


@contextmanager
def emptied(engine: PrivateEngine, *, timeout_seconds: int = 120) -> Iterator[docker.DockerClient]:
    """The SDK on an engine of ours, of which nothing is left that another test put there."""
    client = docker.DockerClient(base_url=engine.url, version="1.41", timeout=timeout_seconds)
    empty(client)
    yield client
    client.close()
