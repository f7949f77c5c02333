"""config.sh as a child: bounded in time and output, and its secret cut out of whatever it says.

The secret is in its environment and nowhere else: not in its arguments, which every user of the host can read.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from onhost.refusals import Failed

KEPT_BYTES = 64 * 1024
TOLD_BYTES = 4 * 1024
CUT = b"[token]"


@dataclass(frozen=True)
class Ended:
    """How it ended; `output` is the last of both streams, printable, without the secret. None: it took too long."""

    returncode: int | None
    output: str


def run(command: list[str], *, cwd: str, env: Mapping[str, str], secret: bytes, seconds: float) -> Ended:
    """Run `command` to its end, or kill its whole process group when the time is up. Raises Failed `not_started`."""
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise Failed("not_started", f"{command[0]} cannot be run: {error.strerror}") from error
    with process:
        try:
            output = _listen(process, time.monotonic() + seconds)
        finally:
            returncode = process.poll()
            _kill(process)
    return Ended(returncode, without(output, secret))


def without(output: bytearray, secret: bytes) -> str:
    """The last of `output` as plain text without `secret`, nor the end of one that began before what was kept."""
    cut = bytes(output)
    if secret:
        # in this order: what is dropped first could be the beginning of a whole one
        cut = cut.replace(secret, CUT)[0 if len(output) < KEPT_BYTES else len(secret) :]
    text = cut[-TOLD_BYTES:].decode("utf-8", "replace")
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)


def _listen(process: subprocess.Popen[bytes], deadline: float) -> bytearray:
    """What it says until it has ended, at most the last KEPT_BYTES; somebody else may keep its pipe open longer."""
    kept = bytearray()
    if process.stdout is None:
        return kept
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if selector.select(0.1) and not _take(process.stdout, kept):
                break
            if process.poll() is not None and not selector.select(0):
                break
    _wait(process, deadline)
    return kept


def _take(pipe: IO[bytes], kept: bytearray) -> bool:
    chunk = os.read(pipe.fileno(), KEPT_BYTES)
    kept += chunk
    del kept[:-KEPT_BYTES]
    return bool(chunk)


def _wait(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Also after its own end: what it started and left behind must not run outside of systemd (M2)."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
