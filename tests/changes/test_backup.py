"""A backup of the database that is really taken and put back, by each database's own means, beside its evidence."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.changes.worker import PROJECT, Started

PATIENCE_SECONDS = 120
PASSWORD = "a-password-for-a-test"

pytestmark = [pytest.mark.req("X19")]


class Installation:
    """A state folder with its database, as processes of their own use it."""

    def __init__(self, folder: Path, database: Mapping[str, str]) -> None:
        self.folder, self.url = folder, database.get("LAUNCHPLANE_DATABASE_URL", "")
        own = {
            "LAUNCHPLANE_VAR": str(folder / "var"),
            "LAUNCHPLANE_EVIDENCE_DIR": str(folder / "evidence"),
            "LAUNCHPLANE_PASSWORD": PASSWORD,
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "DJANGO_SETTINGS_MODULE": "launchplane.settings",
        }
        self.environment = os.environ | own | dict(database)
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *words: str, code: int = 0) -> str:
        done = self._run("manage.py", *words)
        assert done.returncode == code, done.stderr
        return done.stdout

    def elsewhere(self, name: str, argument: object) -> object:
        done = self._run("-m", "tests.changes.elsewhere", name, str(argument))
        assert done.returncode == 0, done.stderr
        said: object = json.loads(done.stdout.splitlines()[-1])
        return said

    def back_up(self) -> None:
        if self.url:
            self._server(f'CREATE DATABASE "{self._name}_backup" TEMPLATE "{self._name}"')
        else:
            self._copy(self.folder / "var", self.folder / "backup")

    def lose(self) -> None:
        if self.url:
            self._server(f'DROP DATABASE "{self._name}" WITH (FORCE)')
            self._server(f'CREATE DATABASE "{self._name}"')
        for path in (self.folder / "var").glob("launchplane.sqlite3*"):
            path.unlink()

    def put_back(self) -> None:
        self.lose()
        if self.url:
            self._server(f'DROP DATABASE "{self._name}"')
            self._server(f'CREATE DATABASE "{self._name}" TEMPLATE "{self._name}_backup"')
        else:
            self._copy(self.folder / "backup", self.folder / "var")

    def forget(self) -> None:
        """The backup goes, where the server keeps it."""
        if self.url:
            self._server(f'DROP DATABASE IF EXISTS "{self._name}_backup"')

    def _copy(self, source: Path, to: Path) -> None:
        to.mkdir(exist_ok=True)
        for path in source.glob("launchplane.sqlite3*"):
            shutil.copy(path, to)

    @property
    def _name(self) -> str:
        return urlsplit(self.url).path.removeprefix("/")

    def _server(self, statement: str) -> None:
        with psycopg.connect(urlsplit(self.url)._replace(path="/postgres").geturl(), autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            env=self.environment,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )


@pytest.fixture
def installed(tmp_path: Path, database: dict[str, str]) -> Iterator[Installation]:
    installed = Installation(tmp_path, database)
    yield installed
    installed.forget()


@pytest.fixture
def change(installed: Installation, tmp_path: Path) -> object:
    """Approved, backed up as that, carried out, and the backup put back; files of the same names are there again."""
    installed.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.org")
    change = installed.elsewhere("prepare", tmp_path / "host")
    installed.back_up()
    assert installed.elsewhere("apply", change) == ["completed", ["done", "done", "done"]]
    installed.put_back()
    for number in (1, 2, 3):
        (tmp_path / "host" / f"rubbish-{number}").write_text(f"rubbish {number}\n")
    assert installed.elsewhere("show", change) == ["approved", ["", "", ""]]
    return change


ACCEPT = ("audits", "accept", "--as", "admin", "--reason", "the disk broke")


def left(tmp_path: Path) -> int:
    return len(list((tmp_path / "host").glob("rubbish-*")))


def test_records_come_back_and_what_was_done_is_not_done_again(
    installed: Installation, change: object, tmp_path: Path
) -> None:
    assert "came back" in installed.manage("audits", "rebuild")
    assert installed.elsewhere("apply", change) == ["awaiting_approval", ["", "", ""]]
    said = json.loads(installed.manage(*ACCEPT, "--json"))
    assert (said["changes"]["closed"], said["put_away"]) == ([change], "")
    assert installed.elsewhere("apply", change) == ["closed", ["done", "done", "done"]]
    assert left(tmp_path) == 3
    assert "intact" in installed.manage("audits", "verify")


def test_a_database_that_was_used_before_anybody_knew_begins_nothing_either(
    installed: Installation, change: object, tmp_path: Path
) -> None:
    assert installed.elsewhere("apply", change) == ["awaiting_approval", ["", "", ""]]
    assert installed.manage("audits", "rebuild", "--json", code=4).count("forked") == 1
    said = json.loads(installed.manage(*ACCEPT, "--json"))
    assert (said["changes"]["closed"], said["put_away"] != "") == ([change], True)
    assert installed.elsewhere("apply", change) == ["closed", ["done", "done", "done"]]
    assert left(tmp_path) == 3
    assert "intact" in installed.manage("audits", "verify")


def test_one_that_was_cut_off_in_the_middle_is_looked_at_item_by_item(installed: Installation, tmp_path: Path) -> None:
    """The machine died while it was applied; the database comes from the backup of before."""
    installed.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.org")
    change = installed.elsewhere("prepare", tmp_path / "host")
    installed.back_up()
    worker = Started(str(change), "after_effect", 2, tmp_path, installed.environment)
    worker.wait_there()
    worker.kill()
    installed.put_back()
    assert json.loads(installed.manage(*ACCEPT, "--json"))["changes"]["in_doubt"] == [change]
    # what was not begun cannot be told from what was: each item is looked at, and the third is still there
    assert installed.elsewhere("recover", change) == ["completed", ["done", "done", "skipped"]]
    assert (tmp_path / "host").with_suffix(".effects").read_text().splitlines() == ["rubbish-1", "rubbish-2"]


def test_a_database_that_is_gone_is_rebuilt_and_goes_on(
    installed: Installation, change: object, tmp_path: Path
) -> None:
    before = sum(len(path.read_bytes().splitlines()) for path in (tmp_path / "evidence").glob("2*.ndjson"))
    installed.lose()
    installed.manage("migrate", "--verbosity", "0")
    assert f"Records 1 to {before} came back." in installed.manage("audits", "rebuild")
    installed.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.org")
    said = json.loads(installed.manage(*ACCEPT, "--json"))
    assert (said["first_seq"], said["last_seq"]) == (1, before)
    assert "intact" in installed.manage("audits", "verify")
