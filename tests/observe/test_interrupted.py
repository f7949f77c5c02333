"""Real processes that meet each other, die in the middle or have no disk left: nothing that was stored is lost."""

import json
import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from tests.faults import Behaviour, EngineSocket, plain_engine, says
from tests.installation import Installation, prepared

NUMBERS = count(1)
USAGE = {"LayersSize": 0, "Images": [], "Containers": [], "Volumes": [], "BuildCache": []}


class Gate:
    """An engine's answer to `/system/df` that waits as long as it is shut."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self.waited_for = threading.Event()

    def shut(self) -> None:
        self._open.clear()
        self.waited_for.clear()

    def open(self) -> None:
        self._open.set()

    def __call__(self, *client_and_over: object) -> None:
        self.waited_for.set()
        self._open.wait(30)
        behave: Callable[..., None] = says(USAGE)
        behave(*client_and_over)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def engine(gate: Gate) -> Iterator[EngineSocket]:
    behaviours: dict[str, Behaviour] = plain_engine() | {"/system/df": gate}
    with EngineSocket(behaviours) as engine:
        yield engine


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with prepared(tmp_path_factory.mktemp("base")) as installation:
        yield installation


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, database_of_the_module: dict[str, str]) -> Iterator[Installation]:
    """An installation on the database that the suite runs on."""
    with prepared(tmp_path_factory.mktemp("shared"), database_of_the_module) as installation:
        yield installation


@pytest.fixture
def observed(shared: Installation, engine: EngineSocket) -> str:
    """The name of a host that was observed once."""
    name = f"ci-{next(NUMBERS)}"
    version_and_info = {path: plain_engine(info={"ID": name})[path] for path in ("/version", "/info")}
    engine.behaviours |= version_and_info
    assert shared.run("hosts", "add", name, "--docker-url", engine.url).returncode == 0
    assert shared.run("hygiene", "report", name).returncode in (0, 3)
    return name


def stored(installation: Installation, host: str) -> str:
    return installation.run("hygiene", "report", host, "--stored", "--json").stdout


@pytest.mark.req("D26")
def test_a_second_observation_at_once_waits_for_its_turn(shared: Installation, observed: str, gate: Gate) -> None:
    gate.shut()
    with shared.start("hygiene", "report", observed) as first:
        assert gate.waited_for.wait(20)
        second = shared.run("hygiene", "report", observed, "--json")
        gate.open()
        first.communicate(timeout=30)

    assert second.returncode == 3
    assert json.loads(second.stdout)["error"] == {
        "code": "observation_running",
        "summary": f"{observed} is being observed already. Wait for it, then look again.",
    }
    assert first.returncode in (0, 3)


def test_after_a_killed_worker_the_next_one_works_and_says_that_the_last_was_lost(
    shared: Installation, observed: str, gate: Gate
) -> None:
    before = stored(shared, observed)
    gate.shut()
    with shared.start("hygiene", "report", observed) as killed:
        assert gate.waited_for.wait(20)
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=10)
    gate.open()
    assert stored(shared, observed) == before

    following = shared.run("hygiene", "report", observed)

    assert following.returncode in (0, 3)
    assert "The observation before this one was lost: its worker died. Saw 0 resources" in following.stdout
    assert "was lost" not in shared.run("hygiene", "report", observed).stdout


@pytest.fixture
def small_disk(base: Installation, engine: EngineSocket, tmp_path: Path) -> Iterator[Installation]:
    """An installation on a disk of 4 MB (SQLite), observed once, and open as a server would have it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)], check=True)
    try:
        installation = base.copy_to(tmp_path)
        assert installation.run("hosts", "add", "ci-1", "--docker-url", engine.url).returncode == 0
        assert installation.run("hygiene", "report", "ci-1").returncode in (0, 3)
        with closing(sqlite3.connect(tmp_path / "launchplane.sqlite3")) as server:
            server.execute("SELECT count(*) FROM hosts_host").fetchone()
            yield installation
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def fill(disk: Path, *, but_bytes: int = 0) -> None:
    free = os.statvfs(disk)
    with (disk / "filler").open("wb") as filler:
        filler.write(bytes(max(free.f_bavail * free.f_frsize - but_bytes, 0)))


@pytest.mark.parametrize(("left_bytes", "runs"), [(0, 1), (64 * 1024, 2)], ids=["at once", "while storing"])
def test_a_full_disk_is_said_and_the_last_report_stays(
    small_disk: Installation, engine: EngineSocket, left_bytes: int, runs: int
) -> None:
    before = stored(small_disk, "ci-1")
    engine.behaviours["/volumes"] = says({"Volumes": [a_noisy_volume() for _ in range(99)]})
    fill(small_disk.var, but_bytes=left_bytes)

    outcome = small_disk.run("hygiene", "report", "ci-1", "--json")

    assert outcome.returncode == 4
    error = json.loads(outcome.stdout)["error"]
    assert error["code"] == "not_stored"
    assert "database or disk is full" in error["summary"]
    assert "The last report stays." in outcome.stderr
    assert stored(small_disk, "ci-1") == before
    with closing(sqlite3.connect(small_disk.var / "launchplane.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM hygiene_observationrun").fetchone() == (runs,)
    (small_disk.var / "filler").unlink()
    assert small_disk.run("hygiene", "report", "ci-1").returncode in (0, 3)


def a_noisy_volume() -> dict[str, object]:
    """A volume whose record does not compress."""
    return {"Name": os.urandom(100).hex(), "Driver": "local", "Labels": {"noise": os.urandom(1500).hex()}}
