"""The whole of `python -m launchplane.server`, as somebody starts it who has just cloned the repository."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import pytest

from launchplane.sandbox.mounts import mounted_below

PROJECT = Path(__file__).parents[2]
LAST_LINE = "Ctrl-C stops everything."
BOUND_SECONDS = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """One state directory, and the server that runs on it while `with` lasts."""

    state: Path
    port: int
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    output: str = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()

    @property
    def environment(self) -> dict[str, str]:
        own = {"LAUNCHPLANE_VAR": str(self.state), "LAUNCHPLANE_PORT": str(self.port)}
        return os.environ | self.settings | own

    def start(self, until: str = LAST_LINE) -> str:
        """Start, wait for `until` (the end of the announcement), return what was printed."""
        log = self.state.with_suffix(".log")
        with log.open("wb") as stream:
            self.process = self._spawn(stream)
        deadline = time.monotonic() + 90
        while until not in log.read_text() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        self.output = log.read_text()
        assert until in self.output, self.output
        return self.output

    def run_to_its_end(self) -> tuple[int, str]:
        """For a start that fails: exit status and what was printed."""
        done = subprocess.run(
            [sys.executable, "-m", "launchplane.server"],
            env=self.environment,
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.decode()

    def stop(self) -> float:
        """SIGTERM; seconds until it ended."""
        assert self.process is not None
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
        return time.monotonic() - started

    def get(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        return connection.getresponse()

    def _spawn(self, stream: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "launchplane.server"]
        return subprocess.Popen(command, env=self.environment, cwd=PROJECT, stdout=stream, stderr=stream)


def processes_of(state: Path) -> list[str]:
    """Command lines of every process that was started for this state directory, told by what it inherited."""
    mark = f"LAUNCHPLANE_VAR={state}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.fixture
def server(tmp_path: Path, database: dict[str, str]) -> Iterator[Server]:
    with Server(tmp_path / "var", free_port(), database | {"LAUNCHPLANE_SANDBOX": "never"}) as server:
        yield server


@pytest.mark.engine
def test_a_sandbox_is_made_served_kept_and_ended(server: Server) -> None:
    server.settings["LAUNCHPLANE_SANDBOX"] = "always"

    first = server.start()
    assert f"http://127.0.0.1:{server.port}/hosts/sandbox/" in first
    assert len(re.findall(r"(?:operator|approver) +\S{5}-\S{5}-\S{5}-\S{5}\n", first)) == 2
    assert server.get("/health").status == 200
    assert server.stop() < BOUND_SECONDS
    assert processes_of(server.state) == []
    assert mounted_below(server.state) == []

    started = time.monotonic()
    second = server.start()
    assert time.monotonic() - started < 30
    assert "/hosts/sandbox/" in second
    assert "Log in as" not in second
    assert "first report" not in second
    assert server.stop() < BOUND_SECONDS
    assert processes_of(server.state) == []


@pytest.mark.engine
def test_a_start_that_is_interrupted_leaves_nothing(server: Server) -> None:
    server.settings["LAUNCHPLANE_SANDBOX"] = "always"
    server.start(until="Starting the sandbox")
    time.sleep(0.3)  # somewhere between the engine's first process and the last planted container
    assert server.stop() < BOUND_SECONDS
    assert processes_of(server.state) == []
    assert mounted_below(server.state) == []


@pytest.mark.engine
@pytest.mark.each_database
def test_an_engine_that_answers_becomes_the_first_host(server: Server, private_engine: object) -> None:
    server.settings["DOCKER_HOST"] = private_engine.url  # type: ignore[attr-defined]
    output = server.start()
    assert "Taking the first report" in output
    assert "sandbox" not in output


@pytest.mark.engine
def test_the_web_processes_tell_nothing_about_what_serves(server: Server) -> None:
    server.start()
    assert server.get("/health").getheader("Server") == "launchplane"


def test_without_an_engine_it_starts_and_says_that_there_is_no_host(server: Server, tmp_path: Path) -> None:
    server.settings["DOCKER_HOST"] = f"unix://{tmp_path}/no.sock"
    output = server.start()
    assert "Starting without a host" in output
    assert "There is no host yet" in output
    assert server.get("/accounts/login/").status == 200


def test_a_port_in_use_is_said_in_a_sentence(server: Server) -> None:
    with socket.create_server(("127.0.0.1", server.port)):
        status, output = server.run_to_its_end()
    assert status == 1
    assert f"Something else listens on 127.0.0.1 port {server.port}" in output
    assert "Traceback" not in output


def test_a_second_server_on_the_same_state_is_refused(server: Server, tmp_path: Path) -> None:
    server.settings["DOCKER_HOST"] = f"unix://{tmp_path}/no.sock"
    server.start()
    status, output = Server(server.state, free_port(), server.settings).run_to_its_end()
    assert (status, "already runs" in output) == (1, True)
    assert server.get("/health").status == 200


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LAUNCHPLANE_SANDBOX", "maybe", "it must be auto, always or never"),
        ("LAUNCHPLANE_PROT", "8001", "unknown setting LAUNCHPLANE_PROT"),
        ("LAUNCHPLANE_DEBUG", "1", "LAUNCHPLANE_DEBUG"),
    ],
)
def test_a_wrong_setting_is_said_in_a_sentence(server: Server, name: str, value: str, sentence: str) -> None:
    server.settings[name] = value
    status, output = server.run_to_its_end()
    assert status == 2
    assert sentence in output
    assert "Traceback" not in output


def test_an_engine_elsewhere_is_refused_in_a_sentence(server: Server) -> None:
    server.settings["DOCKER_HOST"] = "tcp://ci.example.org:2375"
    status, output = server.run_to_its_end()
    assert (status, "only an engine of this machine" in output) == (1, True)
    assert processes_of(server.state) == []
