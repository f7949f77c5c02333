"""Bounds for every reading of a machine: a moment by which it ends and a number of entries it looks at."""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path
from typing import BinaryIO

MAX_ENTRIES = 2_000_000
MAX_FILE_BYTES = 1024 * 1024


class NotMeasured(Exception):
    """A reading could not be made. The text says what and why, for an operator."""


class Limits:
    """One reading's bounds. Raises NotMeasured when they are used up: half a count is no measurement."""

    def __init__(self, seconds: float, *, max_entries: int = MAX_ENTRIES) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._entries = max_entries

    def step(self, where: str) -> None:
        """Count one entry that is looked at."""
        self._entries -= 1
        if self._entries < 0:
            raise NotMeasured(f"{where}: too many entries to count")
        if time.monotonic() > self._end:
            raise NotMeasured(f"{where}: not finished within {self._seconds:.0f} s")


def inside(root: str, path: str) -> str:
    """`path` as seen under another root folder (tests point readings at a tree of their own)."""
    return path if root == "/" else str(Path(root) / path.lstrip("/"))


def why(error: OSError, path: str) -> str:
    """An operating system's refusal, with the path that it is about."""
    return f"{path}: {(error.strerror or str(error)).lower()}"


def open_file(path: str) -> BinaryIO:
    """An ordinary file, opened without waiting: somebody may swap it for a pipe at any time. Raises OSError."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    file = os.fdopen(opened, "rb")
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "no ordinary file", path)
    return file


def read_text(path: str, limits: Limits) -> str:
    """A small text file. Raises NotMeasured if it can't be read or is larger than any that people write."""
    limits.step(path)
    try:
        with open_file(path) as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise NotMeasured(why(error, path)) from error
    if len(content) > MAX_FILE_BYTES:
        raise NotMeasured(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    return content.decode("utf-8", errors="replace")
