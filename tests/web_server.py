"""The pages' own server as it runs in earnest: gunicorn with its configuration, on a free port."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "gunicorn", "--config", "python:launchplane.server.gunicorn_config"]


@dataclass(frozen=True)
class WebServer:
    """Where it answers, and the process that its workers belong to."""

    port: int
    pid: int

    def connection(self, seconds: float = 120) -> http.client.HTTPConnection:
        """A connection to it; what takes longer than `seconds` is an error."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """The status and the body of one answer."""
        connection = self.connection()
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def web_server(environment: Mapping[str, str], log: Path) -> Iterator[WebServer]:
    """Start it with `environment` over our own, wait until it is healthy, and end it afterwards."""
    port = _free_port()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LAUNCHPLANE_")}
    own = {"LAUNCHPLANE_PORT": str(port), "LAUNCHPLANE_SANDBOX": "never"}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            COMMAND, cwd=PROJECT, env=ours | dict(environment) | own, stdout=stream, stderr=stream
        )
    try:
        server = WebServer(port, process.pid)
        _wait(server, process, log)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(server: WebServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if server.get("/health")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text()}")
