"""The one command runner: bounded in time and output, and a timeout is a result, never an exception (H11–H13).

No shell sees the arguments, and a command gets no more of our environment than is named: that may hold secrets.
"""

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeAlias

from typing_extensions import Buffer

TIMED_OUT: Final = 124
NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
LAST_OUTPUT_SECONDS: Final = 0.2
Stdin: TypeAlias = str | bytes | tuple[Buffer, ...] | None
# what a program needs to find others, and what nobody keeps a secret in
INHERITED: Final = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended: 124 timed out, 126 not executable, 127 not found, negative: killed by that signal.

    A program may end with 124 by itself; `timed_out` is true only of one that was stopped here. `truncated` is true
    if it wrote more than was kept.
    """

    returncode: int
    stdout: str
    stderr: str
    duration_ms: int
    truncated: bool = False
    timed_out: bool = False


def run(
    argv: Sequence[str],
    *,
    timeout_seconds: float,
    stdin: Stdin = None,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    max_output_bytes: int = 8 * 1024 * 1024,
    stop_when_full: bool = False,
) -> CommandResult:
    """Run a program without a shell. On timeout its whole process group is killed and the output so far is kept.

    Pieces of `stdin` follow one another; a mapped file among them is read as it is sent, and not held in memory.
    `env` is all of its environment; without one it inherits what INHERITED names. Output beyond `max_output_bytes` of
    either stream is read and thrown away, or with `stop_when_full` ends the command; the result says `truncated`.

    Raises ValueError for an argument with a NUL, which no program can be given.
    """
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(_inherited() if env is None else env),
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        return not_started(argv[0], error, started)
    with process:
        try:
            conversation = _Conversation(process, _pieces(stdin), max_output_bytes, stop_when_full)
            conversation.serve_until(started + timeout_seconds)
        except BaseException:  # a queue ends a task that takes too long by one that is no Exception
            kill_group(process)
            raise
    return conversation.result(started)


def as_text(output: bytes | str | None) -> str:
    """Whatever a command left behind, as text: None is empty, broken UTF-8 is replaced (H13)."""
    if output is None:
        return ""
    return output if isinstance(output, str) else output.decode("utf-8", errors="replace")


def as_bytes(text: bytes | str | None) -> bytes:
    """The opposite of `as_text`."""
    if text is None:
        return b""
    return text.encode("utf-8", errors="surrogateescape") if isinstance(text, str) else text


def _pieces(stdin: Stdin) -> list[memoryview]:
    """What is sent, piece by piece; an empty one would be nothing to write."""
    pieces = stdin if isinstance(stdin, tuple) else (as_bytes(stdin),)
    return [view for view in [memoryview(piece) for piece in pieces] if view]


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def not_started(program: str, error: OSError, started: float) -> CommandResult:
    """How a command ended that the system would not begin; `started` is of the monotonic clock."""
    returncode = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    return CommandResult(returncode, "", f"{error.filename or program}: {error.strerror}", _ms_since(started))


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group of its own, and all that is in it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


class _Conversation:
    """The pipes of one running command, served until it ends or its time is up."""

    def __init__(
        self, process: subprocess.Popen[bytes], stdin: Iterable[memoryview], max_output_bytes: int, stop_when_full: bool
    ) -> None:
        self._process = process
        self._unsent = deque(stdin)
        self._room, self._stop_when_full = max_output_bytes, stop_when_full
        self._outputs: dict[int, bytearray] = {}
        self._truncated = self._timed_out = False
        self._selector = selectors.DefaultSelector()
        for stream in (process.stdout, process.stderr):
            self._register(stream, selectors.EVENT_READ)
        if process.stdin is not None:
            self._register(process.stdin, selectors.EVENT_WRITE)

    def serve_until(self, deadline: float) -> None:
        """To its end, the deadline or a full room: then everything that the command started in its group is killed."""
        ended = os.pidfd_open(self._process.pid)
        self._selector.register(ended, selectors.EVENT_READ)
        try:
            if not self._serve(deadline, ended):
                self._timed_out = not self._is_full()
                kill_group(self._process)
            self._selector.unregister(ended)
            self._serve(time.monotonic() + LAST_OUTPUT_SECONDS, None)
        finally:
            self._close(ended)

    def result(self, started: float) -> CommandResult:
        returncode = TIMED_OUT if self._timed_out else self._process.wait()
        stdout, stderr = (as_text(bytes(output)) for output in self._outputs.values())
        return CommandResult(returncode, stdout, stderr, _ms_since(started), self._truncated, self._timed_out)

    def _register(self, stream: IO[bytes] | None, events: int) -> None:
        if stream is None:
            return
        os.set_blocking(stream.fileno(), False)
        self._selector.register(stream.fileno(), events)
        if events == selectors.EVENT_READ:
            self._outputs[stream.fileno()] = bytearray()

    def _serve(self, deadline: float, ended: int | None) -> bool:
        """True when the process ended (or, without `ended`, every pipe did); False when time or room ran out."""
        while self._selector.get_map() and not self._is_full():
            remaining = deadline - time.monotonic()
            ready = self._selector.select(remaining) if remaining > 0 else []
            if not ready:
                return False
            for key, _ in ready:
                if key.fd == ended:
                    return True
                self._move(key.fd)
        return not self._is_full()

    def _is_full(self) -> bool:
        return self._stop_when_full and self._truncated

    def _move(self, pipe: int) -> None:
        if pipe in self._outputs:
            self._receive(pipe)
        else:
            self._send(pipe)

    def _receive(self, pipe: int) -> None:
        chunk = os.read(pipe, 65536)
        if not chunk:
            self._selector.unregister(pipe)
        output = self._outputs[pipe]
        room = self._room - len(output)
        output += chunk[:room]
        self._truncated = self._truncated or len(chunk) > room

    def _send(self, pipe: int) -> None:
        try:
            if self._unsent:
                piece = self._unsent.popleft()
                if rest := piece[os.write(pipe, piece[:65536]) :]:
                    self._unsent.appendleft(rest)
        except BrokenPipeError:
            self._unsent.clear()
        if not self._unsent:
            self._selector.unregister(pipe)
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _close(self, ended: int) -> None:
        os.close(ended)
        self._selector.close()
