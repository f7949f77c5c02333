"""A database server that is really stopped and started again while a worker is in the middle of an item."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import postgres
from tests.changes.worker import PROJECT, Started

PATIENCE_SECONDS = 120
pytestmark = pytest.mark.postgres


class Server:
    """A PostgreSQL of our own, which its own `pg_ctl` stops and starts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.folder = Path(parse_qs(urlsplit(url).query)["host"][0])

    def control(self, *words: str) -> None:
        (program,) = self.folder.glob("*/pginstall/bin/pg_ctl")
        as_owner = (self.folder / "data").stat().st_uid
        subprocess.run(
            [program, "-D", self.folder / "data", "-w", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            user=as_owner if os.geteuid() == 0 else None,
            timeout=PATIENCE_SECONDS,
        )

    def stop(self) -> None:
        self.control("stop", "-m", "fast")

    def start(self) -> None:
        options = f"-cunix_socket_directories={self.folder} -clisten_addresses= -cfsync=off"
        self.control("start", "-l", str(self.folder / "log-again"), "-o", options)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres.server() as url:
        server = Server(url)
        yield server
        if (server.folder / "data" / "postmaster.pid").exists():
            server.stop()


@pytest.fixture
def environment(server: Server, tmp_path: Path) -> Mapping[str, str]:
    """For children that work on that server, with a state of their own."""
    own = {
        "LAUNCHPLANE_DATABASE_URL": server.url,
        "LAUNCHPLANE_VAR": str(tmp_path / "var"),
        "LAUNCHPLANE_EVIDENCE_DIR": str(tmp_path / "evidence"),
        "DJANGO_SETTINGS_MODULE": "launchplane.settings",
    }
    return os.environ | own


def child(environment: Mapping[str, str], *words: str) -> str:
    argv = [sys.executable, *words]
    return subprocess.check_output(argv, env=environment, cwd=PROJECT, text=True, timeout=PATIENCE_SECONDS)


def elsewhere(environment: Mapping[str, str], name: str, argument: object) -> object:
    said: object = json.loads(child(environment, "-m", "tests.changes.elsewhere", name, str(argument)).splitlines()[-1])
    return said


@pytest.mark.req("X17")
def test_a_run_whose_database_went_away_in_the_middle_is_settled_by_looking(
    server: Server, environment: Mapping[str, str], tmp_path: Path
) -> None:
    child(environment, "manage.py", "migrate", "--verbosity", "0")
    host = tmp_path / "host"
    change = elsewhere(environment, "prepare", host)
    running = Started(str(change), "after_effect", 2, tmp_path, environment)
    try:
        running.wait_there()
        server.stop()
        assert running.go() != 0
        server.start()
        assert elsewhere(environment, "show", change) == ["applying", ["done", "", ""]]
        assert elsewhere(environment, "recover", change) == ["failed", ["done", "done", "skipped"]]
        assert host.with_suffix(".effects").read_text().splitlines() == ["rubbish-1", "rubbish-2"]
        assert elsewhere(environment, "apply", change) == ["failed", ["done", "done", "skipped"]]
    finally:
        running.kill()
