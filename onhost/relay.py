"""One program that is given our own input as it comes, and answers to our caller itself.

It may be root's, and we are not: nobody can end it from here. So whatever happens to us, its input is closed and its
end is waited for; what it does is bounded in time by itself. A caller whose machine went away sends nothing, and no end
either: that is bounded here.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping

from onhost import package
from onhost.refusals import BadRequest

LINE_SECONDS = 30.0
CHUNK_BYTES = 64 * 1024
# one that takes an ordinary file, too: whoever runs this on the host itself may have one for an input
Selector = selectors.PollSelector
# the largest payload is a runner's package
MOST_BYTES = package.MOST_BYTES + CHUNK_BYTES
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
UNEXPECTED = 1
SSH_FAILED = 255


class Source:
    """An input whose first line was read; what came after it in the same piece is kept."""

    def __init__(self, stream: int, *, line_limit: int) -> None:
        """Raises BadRequest `too_much`, `too_slow`."""
        self.stream = stream
        read = bytearray()
        give_up_at = time.monotonic() + LINE_SECONDS
        while b"\n" not in read:
            if len(read) > line_limit:
                raise BadRequest("too_much", f"a request has at most {line_limit} bytes")
            if not (chunk := self._next(give_up_at)):
                break
            read += chunk
        line, end, rest = bytes(read).partition(b"\n")
        self.line, self.rest = line + end, rest

    def wait_for_end(self, *, silent_seconds: float) -> None:
        """Until nobody can send anything any more, or nobody has for that long. What is sent is thrown away."""
        with Selector() as selector:
            selector.register(self.stream, selectors.EVENT_READ)
            while selector.select(silent_seconds) and os.read(self.stream, CHUNK_BYTES):
                pass

    def _next(self, give_up_at: float) -> bytes:
        with Selector() as selector:
            selector.register(self.stream, selectors.EVENT_READ)
            if not selector.select(max(0.0, give_up_at - time.monotonic())):
                raise BadRequest("too_slow", f"no request came within {LINE_SECONDS:.0f} seconds")
        return os.read(self.stream, CHUNK_BYTES)


def run(command: list[str], source: Source, *, env: Mapping[str, str], silent_seconds: float) -> int:
    """Run `command` to its end with all that `source` gives. Returns its exit status, which is never 255.

    A source that says nothing for `silent_seconds`, and does not end either, counts as ended.
    """
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (signal.SIGCHLD, *ENDING):
        signal.signal(number, _noted)
    with subprocess.Popen(command, env=dict(env), cwd="/", stdin=subprocess.PIPE, bufsize=0) as process:
        _feed(process, source, woken, silent_seconds)
        _close(process)
        status = process.wait()
    return status if 0 <= status < SSH_FAILED else UNEXPECTED


def _noted(_number: int, _frame: object) -> None:
    """A signal only wakes whoever waits for the input."""


def _feed(process: subprocess.Popen[bytes], source: Source, woken: int, silent_seconds: float) -> None:
    """Until the input ends or falls silent, the program has ended or wants no more, or somebody wants us to end."""
    left = MOST_BYTES
    piece = source.line + source.rest
    with Selector() as selector:
        selector.register(woken, selectors.EVENT_READ)
        selector.register(source.stream, selectors.EVENT_READ)
        while piece and left >= len(piece) and _give(process, piece):
            left -= len(piece)
            ready = selector.select(silent_seconds)
            if not ready or any(key.fd == woken for key, _ in ready):
                return
            piece = os.read(source.stream, CHUNK_BYTES)


def _give(process: subprocess.Popen[bytes], piece: bytes) -> bool:
    """Whether the program took all of it."""
    if process.stdin is None:
        return False
    try:
        while piece:
            piece = piece[process.stdin.write(piece) or 0 :]
    except BrokenPipeError:
        return False
    return True


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
