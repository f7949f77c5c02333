"""The scripts that the documents show, run as they are."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from launchplane.sandbox.dockerd import PrivateEngine
from tests import postgres
from tests.bench import dangling, inventory, lanes
from tests.docs.reading import PROJECT, blocks

LAST_LINE = "Ctrl-C stops everything."


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(script: str, state: Path, settings: Mapping[str, str] = {}) -> Iterator[int]:
    """Run a piece of shell that starts the server, without any engine, and end it afterwards; yields its port."""
    port, log = free_port(), state.with_suffix(".log")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LAUNCHPLANE_")}
    own = {"LAUNCHPLANE_VAR": str(state), "LAUNCHPLANE_PORT": str(port), "LAUNCHPLANE_SANDBOX": "never"}
    settings = ours | own | {"DOCKER_HOST": f"unix://{state}/none.sock"} | dict(settings)
    with log.open("wb") as stream:
        command = ["sh", "-c", script.replace("script/server", "exec script/server")]
        process = subprocess.Popen(command, cwd=PROJECT, env=settings, stdout=stream, stderr=stream)
    try:
        deadline = time.monotonic() + 120
        while LAST_LINE not in log.read_text() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert LAST_LINE in log.read_text(), log.read_text()
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def storage_backend(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/health")
    answer: dict[str, str] = json.loads(connection.getresponse().read())
    return answer["storage_backend"]


def test_script_server_starts_and_ends(tmp_path: Path) -> None:
    with serving("script/server", tmp_path / "var") as port:
        assert storage_backend(port) == "sqlite"


@pytest.mark.postgres
@pytest.mark.req("H57")
def test_the_server_runs_on_postgresql_as_shown(tmp_path: Path) -> None:
    shown = next(block.text for block in blocks("sh") if "postgres://" in block.text)
    with postgres.server() as url:
        script = shown.replace("postgres://launchplane:password@localhost/launchplane", url)
        with serving(script, tmp_path / "var") as port:
            assert storage_backend(port) == "postgres"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as locking needs."""
    shutil.copytree(PROJECT / "requirements", tmp_path / "requirements")
    (tmp_path / "script").mkdir()
    shutil.copy(PROJECT / "script" / "bootstrap", tmp_path / "script")
    return tmp_path


def lock(clone: Path, *options: str) -> dict[str, str]:
    """Run `script/bootstrap --lock`; the locks by name. Without a package index there is nothing to be shown."""
    command = ["script/bootstrap", "--lock", *options]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=300, check=False)
    if "No matching distribution found for uv" in done.stderr:
        pytest.skip("no package index answers here")
    assert done.returncode == 0, done.stderr
    return {name: (clone / "requirements" / f"{name}.txt").read_text() for name in ("base", "dev")}


def test_locking_again_keeps_the_locks(clone: Path) -> None:
    locks = lock(clone)
    assert locks == {name: (PROJECT / "requirements" / f"{name}.txt").read_text() for name in locks}


def test_locking_with_upgrade_writes_both_locks(clone: Path) -> None:
    for text in lock(clone, "--upgrade").values():
        assert "django==" in text
        assert "--hash=sha256:" in text
        assert "://" not in text


@pytest.mark.engine
@pytest.mark.django_db(transaction=True)
def test_the_bench_measures_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With an engine that is small: the figures mean nothing then, but every part of the measurement runs."""
    for name, number in {"IMAGES": 5, "VOLUMES": 5, "CONTAINERS": 2, "ROUNDS": 1}.items():
        monkeypatch.setattr(inventory, name, number)
    engine = PrivateEngine(tmp_path / "engine")
    engine.start()
    try:
        assert inventory.compare(engine.url) in (0, 1)
    finally:
        engine.stop()
    assert "rows written by an unchanged pass" in capsys.readouterr().out


@pytest.mark.engine
@pytest.mark.django_db(transaction=True)
def test_the_bench_measures_removals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a few images, so that every part of it runs; the ratio means nothing then."""
    for name, number in {"LABELLED": 3, "OTHERS": 2, "ROUNDS": 1}.items():
        monkeypatch.setattr(dangling, name, number)
    assert dangling.measure(tmp_path) in (0, 1)
    assert f"(at most {dangling.AT_MOST:g})" in capsys.readouterr().out


@pytest.mark.postgres
def test_the_bench_measures_records() -> None:
    """Of a few records, in a process of its own: it brings the database that it needs."""
    few = "audit.CLIENTS, audit.EACH, audit.ROUNDS, audit.VERIFIED = 2, 3, 1, 20"
    command = [sys.executable, "-c", f"from tests.bench import audit; {few}; raise SystemExit(audit.main())"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "docs/verify_audit.py EXPORT: 20 records in" in done.stdout


@pytest.mark.postgres
def test_the_bench_measures_an_export() -> None:
    """Of a few records, in a process of its own: it brings the database and the server that it needs."""
    few = "export.RECORDS, export.ROUNDS, export.LOOKS = 300, 1, 1"
    command = [sys.executable, "-c", f"from tests.bench import export; {few}; raise SystemExit(export.main())"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "docs/verify_audit.py: intact: 300 records, 1 to 300" in done.stdout


def test_the_bench_plans_lanes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a few lanes, of which each kind of answer is one."""
    for name, number in {"REPOSITORIES": 2, "LANES_EACH": 10, "HOSTS": 3, "ROUNDS": 1}.items():
        monkeypatch.setattr(lanes, name, number)
    assert lanes.main() == 0
    shown = capsys.readouterr().out
    assert "2 blocked, 2 lane.create, 4 lane.reconcile, 12 nothing to do" in shown
    assert "20 lanes over 2 repositories planned" in shown


def test_the_bench_ends_with_1_if_planning_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in {"REPOSITORIES": 1, "LANES_EACH": 1, "HOSTS": 1, "ROUNDS": 1, "SECONDS_AT_MOST": -1}.items():
        monkeypatch.setattr(lanes, name, number)
    assert lanes.main() == 1
