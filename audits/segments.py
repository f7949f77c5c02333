"""The second store: one file of records for each day, as lines of JSON, written after commit and synced in groups.

Whoever comes first writes what everybody has committed, in one go and with one sync; the others find their record
already there. So lines stand in the order of `seq`, and what a crash left out is caught up by the next who comes.
Never call this inside a transaction: what it could see there is not certain yet.
"""

import fcntl
import json
import logging
import mmap
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, NamedTuple

from django.conf import settings
from django.db import DatabaseError, transaction

from audits import chain
from audits.contracts import Record
from audits.errors import AuditRefused, Forked
from audits.models import AuditRecord

ROOM_BYTES = 16 * 1024 * 1024
AT_ONCE = 2000
PATIENCE_SECONDS = 30.0
DAYS = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].ndjson"
CHECKPOINTS = "checkpoints.ndjson"

logger = logging.getLogger(__name__)


class Position(NamedTuple):
    """The last record in the segments."""

    seq: int
    hash: str


NOTHING = Position(0, chain.GENESIS)


def folder() -> Path:
    """Where the segments are, `LAUNCHPLANE_EVIDENCE_DIR`. Made with mode 0700."""
    path = Path(settings.EVIDENCE_DIR)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def files() -> list[Path]:
    """The segments, in the order of the records in them."""
    return sorted(folder().glob(DAYS))


def line(record: Record) -> bytes:
    """A record as it stands in a segment and in an export: ASCII, its fields in the contract's order."""
    return json.dumps(record.model_dump(mode="json"), separators=(",", ":")).encode("ascii") + b"\n"


def lines() -> Iterator[bytes]:
    """Every whole line of the segments, in order; one that a crash left unfinished is not there yet."""
    for path in files():
        with path.open("rb") as file:
            yield from (text for text in file if text.endswith(b"\n"))


def keep_checkpoint(signed: bytes) -> None:
    """Keep a signed head (a line) beside the segments. Raises AuditRefused."""
    with _refusing(), _only_writer():
        _append(folder() / CHECKPOINTS, signed)


def checkpoint_lines() -> list[bytes]:
    """The signed heads that were kept."""
    path = folder() / CHECKPOINTS
    return path.read_bytes().splitlines() if path.exists() else []


def refuse_without_room() -> None:
    """Raises AuditRefused if the next records could not be kept: before anything is begun, not after (H56)."""
    with _refusing():
        path = folder()
        state = os.statvfs(path)
        if state.f_bavail * state.f_frsize < ROOM_BYTES:
            raise OSError(f"fewer than {ROOM_BYTES} bytes are free")
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError("it may not be written to")


def held(record: AuditRecord) -> bool:
    """True once `record` is on the disk. Before that, nothing that it announces may be begun."""
    return flush_or_say(wanted=Position(record.seq, record.hash))


def flush_or_say(*, wanted: Position | None = None) -> bool:
    """`flush` for after a commit: if it fails, the log says why, and the next one catches up. True if it did not."""
    try:
        flush(wanted=wanted)
    except AuditRefused as refused:
        logger.error("%s", refused.sentence)
        return False
    return True


def flush(*, wanted: Position | None = None) -> None:
    """Bring all committed records to the disk, or see that `wanted` is there already. Raises AuditRefused, Forked."""
    with _refusing():
        with _only_writer():
            last = _last()
            if wanted is None or last.seq < wanted.seq:
                _catch_up(last)
                return
        if last != wanted and not AuditRecord.objects.filter(seq=last.seq, hash=last.hash).exists():
            raise _forked(last)


def _catch_up(last: Position) -> None:
    while batch := _committed_after(last):
        _write(batch)
        last = Position(batch[-1].seq, batch[-1].hash)
        if len(batch) < AT_ONCE:
            return


def _forked(last: Position) -> Forked:
    return Forked(
        f"The segments in {settings.EVIDENCE_DIR} end with a record {last.seq} that the database does not have: "
        "was the database restored, or altered? Run `manage.py audits verify`."
    )


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (OSError, DatabaseError) as error:
        raise AuditRefused(
            f"Evidence cannot be kept in {settings.EVIDENCE_DIR}: {error}. Nothing is begun until it can."
        ) from error


@contextmanager
def _only_writer() -> Iterator[None]:
    """Hold the folder's lock, whichever process or thread this is. A holder that stands still is not waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with (folder() / "lock").open("a") as lock:
        while not _locked(lock.fileno()):
            if time.monotonic() > deadline:
                raise TimeoutError("another process has held its lock for too long")
            time.sleep(0.001)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _committed_after(last: Position) -> list[Record]:
    """The next records; `durable` refuses to look from within a transaction. Raises AuditRefused at a fork."""
    with transaction.atomic(durable=True):
        found = list(AuditRecord.objects.filter(seq__gte=last.seq).order_by("seq")[: AT_ONCE + 1])
    if last == NOTHING:
        return [row.as_record() for row in found[:AT_ONCE]]
    if not found or Position(found[0].seq, found[0].hash) != last:
        raise _forked(last)
    return [row.as_record() for row in found[1:]]


def _write(records: Sequence[Record]) -> None:
    """Append to the segment of each record's day; never to an older one than the newest, so that order stays."""
    newest = max((path.stem for path in files()), default="")
    for day, of_the_day in groupby(records, lambda record: max(record.at[:10], newest)):
        _append(folder() / f"{day}.ndjson", b"".join(map(line, of_the_day)))


def _append(path: Path, lines: bytes) -> None:
    is_new = not path.exists()
    with path.open("ab", buffering=0) as file:
        path.chmod(0o600)
        before = os.fstat(file.fileno()).st_size
        try:
            _write_all(file, lines)
            os.fsync(file.fileno())
        except OSError:  # what may not have arrived must not be taken for held
            os.ftruncate(file.fileno(), before)
            raise
    if is_new:
        _sync_folder(path.parent)


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


def _last() -> Position:
    """The last record that is on the disk; a line that a crash left unfinished is taken away."""
    for path in reversed(files()):
        with path.open("r+b") as file:
            if text := _last_line(file):
                return _position(path, text)
    return NOTHING


def _last_line(file: BinaryIO) -> bytes:
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


def _position(path: Path, text: bytes) -> Position:
    try:
        found = json.loads(text)
        return Position(found["seq"], found["hash"])
    except (ValueError, KeyError, TypeError) as error:
        raise AuditRefused(f"The last line of {path} is not a record. Run `manage.py audits verify`.") from error
