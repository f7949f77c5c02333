"""A program that goes on for as long as its standard input is open: it says one line when it is ready, and no more.

When this process ends, however it ends, that input ends with it, and so does the program.
"""

import os
import select
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from launchplane.hosts.command import TIMED_OUT, CommandResult, as_text, kill_group, not_started

LONGEST_LINE: Final = 64 * 1024
LEAVE_SECONDS: Final = 5.0
# far more often than the other side's patience (onhost/session.py)
SPEAK_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A program after its first line. `first.returncode` is 0 while it runs, else how it ended by then."""

    first: CommandResult
    _process: subprocess.Popen[bytes] | None

    def is_alive(self) -> bool:
        """Whether it still runs. One whose line was cut is given up after some seconds, and is not alive then."""
        return self._process is not None and self._process.poll() is None


@contextmanager
def opened(argv: Sequence[str], *, env: Mapping[str, str], stdin: bytes, timeout_seconds: float) -> Iterator[Opened]:
    """Start `argv`, send `stdin`, wait for one line. At the end its input is closed, and it is killed if it stays.

    Until then it is sent an empty line now and then, so that it can tell a machine that went away from one that waits.
    """
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # nobody reads along, so a host could block or fill whatever takes it
            env=dict(env),
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        yield Opened(not_started(argv[0], error, started), None)
        return
    over = threading.Event()
    speaker = threading.Thread(target=_speak, args=(process, over), daemon=True)
    try:
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
        first = _first(process, stdin, started, timeout_seconds)
        speaker.start()
        yield Opened(first, process)
    finally:
        over.set()
        if speaker.ident is not None:
            speaker.join()  # before its descriptor is closed, and may be another file's
        _end(process)


def _first(process: subprocess.Popen[bytes], stdin: bytes, started: float, seconds: float) -> CommandResult:
    _send(process, stdin)
    line, full = _line(process, started + seconds)
    timed_out = not line.endswith(b"\n") and not full and process.poll() is None and _wait(process, 0.2) is None
    returncode = TIMED_OUT if timed_out else _returncode(process, line)
    return CommandResult(returncode, as_text(line), "", round((time.monotonic() - started) * 1000), full, timed_out)


def _send(process: subprocess.Popen[bytes], stdin: bytes) -> None:
    """A request is far smaller than a pipe's room, so this never waits; who reads nothing need not be told more."""
    if process.stdin is not None:
        with suppress(BrokenPipeError, BlockingIOError):
            os.write(process.stdin.fileno(), stdin)


def _speak(process: subprocess.Popen[bytes], over: threading.Event) -> None:
    while not over.wait(SPEAK_SECONDS) and process.poll() is None:
        _send(process, b"\n")


def _line(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bool]:
    """What it says up to its first line's end, and whether that is more than LONGEST_LINE."""
    said = bytearray()
    if process.stdout is None:
        return b"", False
    pipe = process.stdout.fileno()
    while not said.endswith(b"\n") and len(said) <= LONGEST_LINE:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not select.select([pipe], [], [], remaining)[0]:
            break
        chunk = os.read(pipe, 4096)
        if not chunk:
            break
        said += chunk
    return bytes(said), len(said) > LONGEST_LINE


def _returncode(process: subprocess.Popen[bytes], line: bytes) -> int:
    """0 for one that goes on. One that says no ends at once: it is given the time to."""
    says_yes = b'"ok": true' in line or b'"ok":true' in line
    ended = process.poll() if says_yes else _wait(process, LEAVE_SECONDS)
    return 0 if ended is None else ended


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    if _wait(process, LEAVE_SECONDS) is None:
        kill_group(process)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
