"""An installation of its own: a state directory and a database that only the processes of one test use."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Installation:
    """Where its state lies, and which database it uses: SQLite in `var` unless there is a URL."""

    var: Path
    database_url: str = ""

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("LAUNCHPLANE_")}
        database = {"LAUNCHPLANE_DATABASE_URL": self.database_url} if self.database_url else {}
        return others | {"LAUNCHPLANE_VAR": str(self.var)} | database

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `manage.py` with these words."""
        command = [sys.executable, "manage.py", *words]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *words: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` with these words to its end."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def copy_to(self, var: Path) -> "Installation":
        """The same on SQLite in another state directory."""
        shutil.copytree(self.var, var, dirs_exist_ok=True)
        return Installation(var)


@contextmanager
def prepared(var: Path, *, name: str = "") -> Iterator[Installation]:
    """A new installation, migrated; with `name` on a database of that name beside the suite's own PostgreSQL one."""
    with _database(os.environ.get("LAUNCHPLANE_DATABASE_URL", "") if name else "", name) as url:
        made = Installation(var, url)
        done = made.run("migrate", "--verbosity=0")
        assert done.returncode == 0, done.stderr
        yield made


@contextmanager
def _database(url: str, name: str) -> Iterator[str]:
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgres"):
        yield ""
        return
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
