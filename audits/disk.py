"""Files of lines: what was appended, or written anew, is on the disk, or is not there. It knows nothing of records."""

import fcntl
import logging
import mmap
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import BinaryIO

PATIENCE_SECONDS = 30.0
LOOK_AGAIN_SECONDS = 0.001

logger = logging.getLogger(__name__)
# nothing is forked while a thread holds it: the new process would hold the file's lock as well, and never let go
_threads = Lock()


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, whichever process or thread this is. Raises TimeoutError: one that stands still is
    not waited for.

    Of one process a single thread looks whether another process is done; the others wait for that one.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    if not _threads.acquire(timeout=PATIENCE_SECONDS):
        raise TimeoutError("another thread has held its lock for too long")
    try:
        with (folder / "lock").open("a") as lock:
            _wait_for(lock.fileno(), until=deadline)
            yield
    finally:
        _threads.release()


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


def write_whole(path: Path, lines: Iterable[bytes]) -> None:
    """Let the file (mode 0600) hold just `lines`, or what it held before: never half of them. Raises OSError."""
    aside = path.with_name(f"{path.name}.part")
    aside.unlink(missing_ok=True)
    with open(aside, "wb", opener=_private) as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    _sync_folder(path.parent)


def cut(path: Path, length: int) -> None:
    """Keep the first `length` bytes of the file, on the disk; a file of which nothing is kept goes. Raises OSError."""
    if length == 0:
        path.unlink()
        _sync_folder(path.parent)
    elif length < path.stat().st_size:
        with path.open("r+b") as file:
            file.truncate(length)
            os.fsync(file.fileno())


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


def _wait_for(descriptor: int, *, until: float) -> None:
    while not _locked(descriptor):
        if time.monotonic() > until:
            raise TimeoutError("another process has held its lock for too long")
        time.sleep(LOOK_AGAIN_SECONDS)


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
