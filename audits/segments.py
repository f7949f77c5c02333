"""The second store: one file of records for each day, as lines of JSON, written after commit and synced in groups.

Whoever comes first writes what everybody has committed, in one go and with one sync; the others find their record
already there. So lines stand in the order of `seq`, and what a crash left out is caught up by the next who comes.
Never call this inside a transaction: what it could see there is not certain yet.
"""

import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audits import disk
from audits.chain import NOTHING, Position
from audits.contracts import Record
from audits.errors import AuditRefused, Forked
from audits.models import AuditRecord, EvidenceStore
from launchplane.problems import Refused

ROOM_BYTES = 16 * 1024 * 1024
AT_ONCE = 2000
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.ndjson")
CHECKPOINTS = "checkpoints.ndjson"
_JSON = json.JSONEncoder(separators=(",", ":"), check_circular=False)
# plain SQL: the ORM takes twice as long to write it as the database to answer it
_FROM = f"SELECT * FROM {AuditRecord._meta.db_table} WHERE seq >= %s ORDER BY seq LIMIT %s"  # noqa: S608  a name of ours
_BEGUN = f"SELECT 1 FROM {EvidenceStore._meta.db_table}"  # noqa: S608

logger = logging.getLogger(__name__)


class Fresh(NamedTuple):
    """A record that this thread committed a moment ago; `begun` if the database knew of segments then."""

    record: Record
    begun: bool


def folder() -> Path:
    """Where the segments are, `LAUNCHPLANE_EVIDENCE_DIR`. Made with mode 0700."""
    path = Path(settings.EVIDENCE_DIR)
    if not os.path.isdir(path):  # noqa: PTH112  far faster, and asked for each record
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def files() -> list[Path]:
    """The segments, in the order of the records in them."""
    here = folder()
    return [here / name for name in sorted(filter(DAY.fullmatch, os.listdir(here)))]  # noqa: PTH208  names are enough


def line(record: Record) -> bytes:
    """A record as it stands in a segment and in an export: ASCII, its fields in the contract's order."""
    plain = vars(record) | {"actor": vars(record.actor)}  # as model_dump(), and faster
    return _JSON.encode(plain).encode("ascii") + b"\n"


def lines() -> Iterator[bytes]:
    """Every whole line of the segments, in order; one that a crash left unfinished is not there yet."""
    for path in files():
        with path.open("rb") as file:
            yield from (text for text in file if text.endswith(b"\n"))


def keep_checkpoint(signed: bytes) -> None:
    """Keep a signed head (a line) beside the segments. Raises AuditRefused."""
    with refusing(), disk.only_writer(folder()):
        disk.append(folder() / CHECKPOINTS, signed)


def checkpoint_lines() -> list[bytes]:
    """The signed heads that were kept."""
    path = folder() / CHECKPOINTS
    return path.read_bytes().splitlines() if path.exists() else []


def refuse_without_room() -> None:
    """Raises AuditRefused if the next records could not be kept: before anything is begun, not after (H56)."""
    with refusing():
        here = folder()
        state = os.statvfs(here)
        if state.f_bavail * state.f_frsize < ROOM_BYTES:
            raise OSError(f"fewer than {ROOM_BYTES} bytes are free")
        for path in (here, *files()[-1:]):
            if not os.access(path, os.W_OK, effective_ids=True):
                raise PermissionError(f"{path} may not be written to")


def held(record: AuditRecord) -> bool:
    """True once `record` is on the disk. Before that, nothing that it announces may be begun."""
    return _flush_or_say(wanted=Position(record.seq, record.hash))


def keep(fresh: Fresh) -> bool:
    """`held` for right after the commit: nobody asks the database for what it was just given.

    If it fails, the log says why, and the next one catches up.
    """
    return _flush_or_say(wanted=Position(fresh.record.seq, fresh.record.hash), fresh=fresh)


def _flush_or_say(*, wanted: Position, fresh: Fresh | None = None) -> bool:
    try:
        flush(wanted=wanted, fresh=fresh)
    except AuditRefused as refused:
        logger.error("%s", refused.sentence)
        return False
    return True


def flush(*, wanted: Position | None = None, fresh: Fresh | None = None) -> None:
    """Bring all committed records to the disk, or see that `wanted` is there already. Raises AuditRefused, Forked.

    Without `wanted` the database knows afterwards that there are segments, so that they cannot be lost unnoticed.
    `fresh` is written as it is where it is the next one.
    """
    with refusing():
        with disk.only_writer(folder()):
            path, last = _last()
            if last == NOTHING and was_begun():
                raise _lost()
            if wanted is None or last.seq < wanted.seq:
                _catch_up(path, last, fresh)
                return
        if not (last == wanted or _holds(path, wanted) or _is_known(last)):
            raise _forked(last)


def begin_anew() -> None:
    """Write a new folder from the database, after what the lost one knew was given up. Raises AuditRefused."""
    with refusing(), disk.only_writer(folder()):
        refuse_if_there()
        _catch_up(None, NOTHING)


def refuse_if_there() -> None:
    """Raises Refused `evidence_there` if there is a segment: it may hold what the database does not know."""
    if any(path.stat().st_size for path in files()):
        sentence = f"There are segments in {settings.EVIDENCE_DIR}: rename that folder, keep it, and begin again."
        raise Refused("evidence_there", sentence)


def was_begun() -> bool:
    """Whether this database had segments beside it. Nothing is ever begun on a host before it knows that it has."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGUN)
        return cursor.fetchone() is not None


def _catch_up(path: Path | None, last: Position, fresh: Fresh | None = None) -> None:
    """Write what was committed after `last`, the last line of `path`; then note in the database that it is there."""
    if fresh is not None and last == Position(fresh.record.seq - 1, fresh.record.prev_hash):
        path, is_noted = _write([fresh.record], after=path), fresh.begun
    else:
        path, is_noted = _write_committed(path, last), False
    if path is not None and not (is_noted or was_begun()):
        EvidenceStore.objects.bulk_create([EvidenceStore(begun_at=timezone.now())], ignore_conflicts=True)


def _write_committed(path: Path | None, last: Position) -> Path | None:
    while batch := _committed_after(last):
        path = _write(batch, after=path)
        last = Position(batch[-1].seq, batch[-1].hash)
        if len(batch) < AT_ONCE:
            break
    return path


def _holds(path: Path | None, wanted: Position) -> bool:
    """Whether the newest segment has just this record. Its line ends with its hash: no need to ask the database."""
    return path is not None and disk.holds(path, f'"hash":"{wanted.hash}"}}\n'.encode("ascii"))


def _is_known(last: Position) -> bool:
    return AuditRecord.objects.filter(seq=last.seq, hash=last.hash).exists()


def _lost() -> Forked:
    return Forked(
        f"There is no segment in {settings.EVIDENCE_DIR}, and the database had some: was the folder lost, or another "
        "one set? Put it back; if it is gone, `manage.py audits adopt` begins a new one."
    )


def _forked(last: Position) -> Forked:
    return Forked(
        f"The segments in {settings.EVIDENCE_DIR} end with a record {last.seq} that the database does not have: "
        "was the database restored, or altered? Run `manage.py audits verify`; `audits accept` answers for a restore."
    )


@contextmanager
def refusing() -> Iterator[None]:
    """Raises AuditRefused for whatever the folder, or the database beside it, does not let happen."""
    try:
        yield
    except (OSError, DatabaseError) as error:
        raise AuditRefused(
            f"Evidence cannot be kept in {settings.EVIDENCE_DIR}: {error}. Nothing is begun until it can."
        ) from error


def _committed_after(last: Position) -> list[Record]:
    """The next records; `durable` refuses to look from within a transaction. Raises AuditRefused at a fork."""
    with transaction.atomic(durable=True):
        found = list(AuditRecord.objects.raw(_FROM, [last.seq, AT_ONCE + 1]))
    if last == NOTHING:
        return [row.as_record() for row in found[:AT_ONCE]]
    if not found or Position(found[0].seq, found[0].hash) != last:
        raise _forked(last)
    return [row.as_record() for row in found[1:]]


def _write(records: Sequence[Record], *, after: Path | None) -> Path | None:
    """Append to the segment of each record's day, or to a newer one that there is: so order stays. Returns the newest.

    A clock may go back; `after` is the newest segment so far.
    """
    newest = after.stem if after else ""
    days = islice(accumulate((record.at[:10] for record in records), max, initial=newest), 1, None)
    for day, of_the_day in groupby(zip(days, records, strict=True), key=itemgetter(0)):
        after = folder() / f"{day}.ndjson"
        disk.append(after, b"".join(line(record) for _, record in of_the_day))
    return after


def _last() -> tuple[Path | None, Position]:
    """The newest segment with a line, and the record of its last one."""
    for path in reversed(files()):
        if text := disk.last_line(path):
            return path, _position(path, text)
    return None, NOTHING


def _position(path: Path, text: bytes) -> Position:
    try:
        found = json.loads(text)
        return Position(found["seq"], found["hash"])
    except (ValueError, KeyError, TypeError) as error:
        raise AuditRefused(f"The last line of {path} is not a record. Run `manage.py audits verify`.") from error
