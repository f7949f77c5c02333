"""An installation of its own: a state directory and a database that only the processes of one test use."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Installation:
    """Where its state lies, and what names its database: SQLite in `var` if nothing does."""

    var: Path
    database: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("LAUNCHPLANE_")}
        return others | {"LAUNCHPLANE_VAR": str(self.var)} | self.database

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
def prepared(var: Path, database: dict[str, str] | None = None) -> Iterator[Installation]:
    """A new installation, migrated, on a `tests.databases.a_database` or on SQLite."""
    made = Installation(var, database or {})
    done = made.run("migrate", "--verbosity=0")
    assert done.returncode == 0, done.stderr
    yield made
