"""The few things that are ever asked of systemd, and how a lane's unit is seen: always by its one exact name."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from pathlib import Path

from onhost import files, service
from onhost.config import Lane
from onhost.refusals import Failed, Refused

SYSTEMCTL = "/usr/bin/systemctl"
UNITS = "/etc/systemd/system"
# where systemd keeps its groups: alone there, or on older hosts beside the kernel's other hierarchies
CGROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")
# longer than the unit's own TimeoutStopSec, after which systemd kills what is left
STOP_SECONDS = service.STOP_SECONDS + 60
READ_SECONDS = 30
UNIT_LIMIT = 64 * 1024
MOST_PROCESSES = 10000
PROPERTIES = (
    "LoadState,ActiveState,SubState,UnitFileState,FragmentPath,DropInPaths,NeedDaemonReload,User,WorkingDirectory,"
    "ExecStart,MainPID,ControlGroup,Result,ExecMainStatus,NRestarts"
)
EXEC_PATH = re.compile(r"\{ path=(\S+) ;")
OUR_DROP_INS = "/launchplane-runner@"


def order(*arguments: str, forgive: bool = False) -> None:
    """Have systemd do something; `forgive` lets it forget first how often the unit (the last argument) was started.

    Raises Failed `systemctl` with what it said.
    """
    if forgive:
        _run(["reset-failed", "--", arguments[-1]], READ_SECONDS)  # a unit that was never loaded has nothing to forget
    returncode, output = _run(list(arguments), STOP_SECONDS)
    if returncode != 0:
        raise Failed("systemctl", f"systemctl {arguments[0]} ended with {returncode}: {output.strip()[-500:]}")


def text(lane: Lane) -> str | None:
    """The unit file of `lane` as it lies there; None without one. Raises Refused `odd_file`."""
    with files.folder(UNITS) as units:
        data = files.read(units, lane.unit, owner=0, limit=UNIT_LIMIT)
    return None if data is None else data.decode("utf-8", "replace")


def see(lane: Lane) -> dict[str, object]:
    """The service of `lane` as systemd tells it now, with the processes in its cgroup.

    `ours`: the file is, byte for byte, what would be written now, systemd has loaded that one, and nobody added to it.
    `written` is whether there is a file, `as_written` whether that is the one that would be written now, and `loaded`
    whether systemd knows a unit of that name: one that it has not read yet will run what its file says.
    `workers`: how many jobs run; None where nobody could count.
    """
    written = text(lane)
    told = _show(lane)
    drop_ins = told["DropInPaths"].split()
    as_written, loaded = written == service.render(lane), told["LoadState"] not in ("not-found", "")
    if as_written and not loaded:
        told = {**told, "WorkingDirectory": lane.directory, "ExecStart": f"{{ path={lane.directory}/run.sh ; }}"}
    found = {
        "unit": lane.unit,
        "exists": written is not None or loaded,
        "written": written is not None,
        "as_written": as_written,
        "loaded": loaded,
        "enabled": told["UnitFileState"] == "enabled",
        "active_state": told["ActiveState"],
        "sub_state": told["SubState"],
        "user": told["User"],
        "working_directory": told["WorkingDirectory"].lstrip("!-"),
        "exec_start": _exec_path(told["ExecStart"]),
        "drop_ins": drop_ins,
        "reload_needed": told["NeedDaemonReload"] == "yes",
        "result": told["Result"],
        "exit_status": _number(told["ExecMainStatus"]),
        "restarts": _number(told["NRestarts"]),
        "main_pid": _number(told["MainPID"]),
    }
    found["ours"] = (
        as_written
        and told["FragmentPath"] == f"{UNITS}/{lane.unit}"
        and not found["reload_needed"]
        and not any(OUR_DROP_INS in path for path in drop_ins)
    )
    users, workers = _processes(told["ControlGroup"], stopped=told["ActiveState"] in ("inactive", "failed"))
    return {**found, "process_users": users, "workers": workers}


def _show(lane: Lane) -> dict[str, str]:
    returncode, output = _run(["show", f"--property={PROPERTIES}", "--", lane.unit], READ_SECONDS)
    told = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    missing = set(PROPERTIES.split(",")) - set(told) - {"ExecStart"}
    if returncode != 0 or missing:
        raise Failed("systemctl", f"systemctl show ended with {returncode} and did not tell {sorted(missing)}")
    return {"ExecStart": "", **told}


def _run(arguments: list[str], seconds: int) -> tuple[int, str]:
    command = [SYSTEMCTL, "--no-pager", "--no-ask-password", *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Failed("timed_out", f"systemctl {arguments[0]} took longer than {seconds} seconds") from error
    except OSError as error:
        raise Refused("no_systemd", f"{SYSTEMCTL} cannot be run: {error.strerror}") from error
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _exec_path(told: str) -> str:
    found = EXEC_PATH.search(told)
    return found.group(1) if found else ""


def _number(told: str) -> int | None:
    return int(told) if told.isdecimal() else None


def _processes(cgroup: str, *, stopped: bool) -> tuple[list[str], int | None]:
    """Who runs in the unit's cgroup, and how many of them are a Runner.Worker, which is a job."""
    if not cgroup:
        return [], 0 if stopped else None
    try:
        group = next((top + cgroup for top in CGROUPS if Path(top + cgroup).is_dir()), "")
        pids = [pid for folder, _, _ in os.walk(group) for pid in _pids(folder)]
    except OSError:
        return [], None
    if len(pids) > MOST_PROCESSES or not (pids or stopped):
        return [], None
    seen = [told for told in map(_status, pids) if told is not None]
    return sorted({user for user, _ in seen}), sum(name == "Runner.Worker" for _, name in seen)


def _pids(folder: str) -> list[str]:
    return Path(folder, "cgroup.procs").read_text(encoding="ascii").split()


def _status(pid: str) -> tuple[str, str] | None:
    """User and name of a process; None when it has ended meanwhile."""
    try:
        told = Path("/proc", pid, "status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    return _user(int(fields["Uid"].split()[1])), fields["Name"].strip()


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
