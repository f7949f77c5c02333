"""One private Docker engine in one folder: started, waited for, reused after a crash, stopped without a trace.

It shares nothing with the machine's own engine: other data, socket and namespace, no bridge, no firewall rule.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from launchplane import kernel
from launchplane.hosts.command import run
from launchplane.problems import Problem
from launchplane.sandbox import processes
from launchplane.sandbox.mounts import unmount_below
from launchplane.sandbox.ping import silence

# A Unix socket's address has 108 bytes; the longest that an engine makes below its runtime folder takes 48 of them.
LONGEST_RUNTIME_PATH = 59


class EngineFailed(Problem):
    """The private engine could not be started or stopped; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__("sandbox_engine_failed", sentence)


class PrivateEngine:
    """The engine of `folder`. Nothing runs until `start`; another process may hold another object for it.

    It ends with the thread that started it: a server or a test run that was killed leaves no engine for long.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.runtime = _runtime_folder(self.folder)
        self.data_root = self.folder / "data"
        self.log = self.folder / "engine.log"
        self.pidfile = self.runtime / "docker.pid"
        self.socket = self.runtime / "docker.sock"
        self.url = f"unix://{self.socket}"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of this folder's dockerd, or None when none runs; told by its arguments, so never a stranger's."""
        found = processes.with_argument([str(self.pidfile)])
        return found[0] if found else None

    def answers(self) -> bool:
        """True if the engine says OK on its socket within two seconds."""
        return silence(self.url, timeout_seconds=2) is None

    def start(self, *, timeout_seconds: float = 40) -> bool:
        """Have the engine answer. True if it was started, False if it ran already. Raises EngineFailed."""
        if self.pid is not None and self.answers():
            return False
        self.stop()
        for path in (self.folder, self.runtime):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._spawn()
        self._wait(timeout_seconds)
        return True

    def stop(self, *, timeout_seconds: float = 12) -> None:
        """End the engine, its containerd and its containers, and leave no mount. Raises EngineFailed if some stay."""
        deadline = time.monotonic() + timeout_seconds
        if (pid := self.pid) is not None:
            processes.send(pid, signal.SIGTERM)
            self._wait_for_end(timeout_seconds - 2)
        for straggler in processes.with_argument(self._marks):
            processes.send(straggler, signal.SIGKILL)
        self._reap()
        if left := processes.wait_until_gone(self._marks, timeout_seconds=max(1, deadline - time.monotonic())):
            raise EngineFailed(f"the sandbox engine in {self.folder} does not end: processes {left} are still there")
        unmount_below(self.folder, self.runtime)
        # All of it is per run, and a left containerd.pid whose number something else (or a zombie) has by now would
        # keep the next start from starting its containerd.
        if self.runtime.exists():
            shutil.rmtree(self.runtime)

    @property
    def _marks(self) -> tuple[str, str]:
        """What only this engine's processes have in an argument: its runtime folder or its namespace."""
        return f"{self.runtime}/", _namespace(self.folder)

    def _spawn(self) -> None:
        program = find_dockerd()
        if program is None:
            raise EngineFailed("dockerd is not installed (on Debian: apt-get install docker.io)")
        if os.geteuid() != 0:
            raise EngineFailed("a private Docker engine can only be started as root")
        (self.folder / "daemon.json").write_text(json.dumps(self._own_identity(program)))
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [program, *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=kernel.end_with_parent,  # noqa: PLW1509 - one system call, looked up beforehand
            )

    def _options(self) -> list[str]:
        return [
            f"--config-file={self.folder / 'daemon.json'}",
            f"--data-root={self.data_root}",
            f"--exec-root={self.runtime / 'exec'}",
            f"--host={self.url}",
            f"--pidfile={self.pidfile}",
            f"--containerd-namespace={_namespace(self.folder)}",
            f"--containerd-plugins-namespace={_namespace(self.folder)}-plugins",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--storage-driver=overlay2",
            "--shutdown-timeout=4",
        ]

    def _own_identity(self, program: str) -> dict[str, str]:
        """Before 23 an engine's id comes from a key in /etc/docker, the same for all engines of a machine."""
        version = re.search(r"version (\d+)", run([program, "--version"], timeout_seconds=10).stdout)
        return {"deprecated-key-path": str(self.folder / "key.json")} if version and int(version[1]) < 23 else {}

    def _wait(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not self.answers():
            if self._child is not None and self._child.poll() is not None:
                raise EngineFailed(
                    f"dockerd ended with {self._child.returncode} instead of answering: {self._last_words()}"
                )
            if time.monotonic() > deadline:
                last_words = self._last_words()
                self.stop()
                raise EngineFailed(f"dockerd did not answer within {timeout_seconds:g} s: {last_words}")
            time.sleep(0.1)

    def _wait_for_end(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while self.pid is not None and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.05)

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:]) or "it said nothing"


def find_dockerd() -> str | None:
    """Path of the engine's program; in Debian it lies where an ordinary user's PATH does not look."""
    return shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _namespace(folder: Path) -> str:
    """The engine's containerd namespace: two engines that share the machine's own containerd must not meet in one."""
    return f"launchplane-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"


def _runtime_folder(folder: Path) -> Path:
    """Where sockets go: in the folder, or in root's own /run when the folder lies too deep for a socket's address."""
    inside = folder / "run"
    if len(os.fsencode(inside)) <= LONGEST_RUNTIME_PATH:
        return inside
    return Path("/run") / _namespace(folder)
