"""Files of lines that only grow: what was appended is on the disk, or is not there. It knows nothing of records."""

import fcntl
import logging
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PATIENCE_SECONDS = 30.0
LOOK_AGAIN_SECONDS = 0.001

logger = logging.getLogger(__name__)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, whichever process or thread this is. Raises TimeoutError: one that stands still is
    not waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with (folder / "lock").open("a") as lock:
        while not _locked(lock.fileno()):
            if time.monotonic() > deadline:
                raise TimeoutError("another process has held its lock for too long")
            time.sleep(LOOK_AGAIN_SECONDS)
        yield


def append(path: Path, lines: bytes) -> None:
    """Add `lines` to the file (mode 0600) and sync it. Raises OSError, and then nothing of them is there."""
    is_new = not path.exists()
    with open(path, "ab", buffering=0, opener=_private) as file:
        before = os.fstat(file.fileno()).st_size
        try:
            _write_all(file, lines)
            os.fsync(file.fileno())
        except OSError:  # what may not have arrived must not be taken for held
            os.ftruncate(file.fileno(), before)
            raise
    if is_new:
        _sync_folder(path.parent)


def last_line(path: Path) -> bytes:
    """The last line, or nothing; one that a crash left unfinished is taken away. The lock is held by the caller."""
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            return b""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            end = text.rfind(b"\n") + 1
            last = text[text.rfind(b"\n", 0, max(end - 1, 0)) + 1 : end]
        if end < size:
            logger.warning("A segment ended with %d bytes of an unfinished line: taken away", size - end)
            os.ftruncate(file.fileno(), end)
        return last


def holds(path: Path, text: bytes) -> bool:
    """Whether `text` is anywhere in the file, looked for from its end."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            return whole.rfind(text) >= 0


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _write_all(file: BinaryIO, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(file.fileno(), rest) :]


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
