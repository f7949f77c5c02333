"""A registry of our own: Debian's `docker-registry` on loopback, with a folder, a port and an access log of its own."""

import http.client
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker

PROGRAM = "docker-registry"
CONFIGURATION = """version: 0.1
log:
  level: error
  accesslog:
    disabled: false
storage:
  filesystem:
    rootdirectory: {folder}/content
http:
  addr: {address}
"""


class Registry:
    """A registry that runs. `address` is what stands before an image's name; `log` is its access log."""

    def __init__(self, folder: Path, address: str) -> None:
        self.address, self.log = address, folder / "access.log"

    def push(self, client: docker.DockerClient, name: str) -> None:
        """Push what `client` has under this name."""
        for message in client.api.push(name, stream=True, decode=True):
            if "error" in message:
                raise RuntimeError(message["error"])


@contextmanager
def serving() -> Iterator[Registry]:
    """Start one, wait until it answers, and end it."""
    with tempfile.TemporaryDirectory(prefix="lp-registry-") as name:
        folder, address = Path(name), f"127.0.0.1:{free_port()}"
        registry = Registry(folder, address)
        (folder / "registry.yml").write_text(CONFIGURATION.format(folder=folder, address=address))
        with registry.log.open("ab") as log:
            process = subprocess.Popen([PROGRAM, "serve", str(folder / "registry.yml")], stdout=log, stderr=log)
        try:
            _wait(registry, process)
            yield registry
        finally:
            process.terminate()
            process.wait(timeout=20)


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(registry: Registry, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while not _answers(registry.address):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{PROGRAM} did not start: {registry.log.read_text()[-1000:]}")
        time.sleep(0.05)


def _answers(address: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
