"""Runner processes that are alive, read from /proc. A worker is a job that runs."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path
from typing import NamedTuple

from onhost.machine.limits import Limits, NotMeasured, inside, why

NAMES = ("Runner.Listener", "Runner.Worker")


class Runner(NamedTuple):
    """One process of a runner, told by its program."""

    pid: int
    name: str
    user: str
    folder: str | None


def read_runner_processes(limits: Limits, *, root: str = "/", own_pid: int | None = None) -> tuple[Runner, ...]:
    """All of them, by pid; only the reading process itself is left out (H18).

    Raises NotMeasured when other users' processes can't be seen: an empty list would say "idle" (H17).
    """
    proc = Path(inside(root, "/proc"))
    try:
        pids = sorted(int(name) for name in os.listdir(proc) if re.fullmatch(r"\d{1,10}", name))  # noqa: PTH208
    except OSError as error:
        raise NotMeasured(why(error, str(proc))) from error
    if 1 not in pids:
        raise NotMeasured(f"{proc}: other users' processes are hidden from this user (hidepid)")
    mine = os.getpid() if own_pid is None else own_pid
    found = (_runner(proc / str(pid), pid, limits) for pid in pids if pid != mine)
    return tuple(runner for runner in found if runner is not None)


def _runner(process: Path, pid: int, limits: Limits) -> Runner | None:
    limits.step(str(process))
    try:
        programs = [_program(process), _first_argument(process)]
        user = _user(process.stat().st_uid)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except OSError as error:
        raise NotMeasured(why(error, str(process))) from error
    program = next((path for path in programs if path and Path(path).name in NAMES), None)
    return None if program is None else Runner(pid, Path(program).name, user, _folder(program))


def _program(process: Path) -> str | None:
    """The executable; the kernel shows it to the same user and root only, and kernel threads and zombies have none."""
    try:
        return os.readlink(process / "exe").removesuffix(" (deleted)")  # noqa: PTH115  # as text
    except (PermissionError, FileNotFoundError):
        return None


def _first_argument(process: Path) -> str:
    return (process / "cmdline").read_bytes()[:4096].split(b"\0", 1)[0].decode("utf-8", errors="replace")


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _folder(program: str) -> str | None:
    """`/srv/runners/a/bin.2.330.0/Runner.Worker` belongs to `/srv/runners/a`."""
    path = Path(program)
    return str(path.parent.parent) if path.is_absolute() and path.parent.name.split(".")[0] == "bin" else None
