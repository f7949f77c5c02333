"""The processes of one private engine, found in /proc by what only their command lines hold; never by name alone."""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

PROGRAMS = ("dockerd", "containerd")


def command_line(pid: int) -> list[str]:
    """The arguments that process `pid` runs with; empty if it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [os.fsdecode(part) for part in text.split(b"\0") if part]


def with_argument(marks: Iterable[str]) -> list[int]:
    """Pids of every dockerd, containerd and shim with one of `marks` within an argument."""
    marks = tuple(marks)
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if _belongs(command_line(pid), marks)]


def _belongs(arguments: list[str], marks: tuple[str, ...]) -> bool:
    if not arguments or not Path(arguments[0]).name.startswith(PROGRAMS):
        return False
    return any(mark in argument for argument in arguments[1:] for mark in marks)


def send(pid: int, number: signal.Signals) -> None:
    """Signal `pid`; one that is gone already is what was wanted."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait_until_gone(marks: Iterable[str], *, timeout_seconds: float) -> list[int]:
    """Wait for every process that `with_argument` finds; the pids that are still there at the end."""
    deadline = time.monotonic() + timeout_seconds
    marks = tuple(marks)
    while (left := with_argument(marks)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
