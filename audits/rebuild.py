"""Bring back to the database what the segments, or an export, hold and it does not: row by row the same bytes.

The source is verified to its end before the first row is written, and again while it is read. Until somebody answers
for what came back (`Restoration`), nothing is done to any host: this database has forgotten what it did.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from pathlib import Path

from django.db import DatabaseError, transaction
from django.utils import timezone

from audits import head, segments
from audits.ahead import Ahead, compare, strictly
from audits.chain import Chain, Position
from audits.contracts import Record
from audits.errors import AuditRefused
from audits.models import LARGEST_SEQ, AuditRecord, Restoration, row_of
from audits.verify_export import lines_of, verify_export
from launchplane.problems import Problem, Refused

Lines = Callable[[], Iterator[bytes]]

# a batch is a transaction: so many rows, or so many characters of payload if they are large
AT_ONCE, LARGEST_BATCH = 1000, 16 * 1024 * 1024
SEQ = re.compile(rb'\{"seq":([0-9]{1,19}),')


def from_segments() -> Ahead:
    """Bring back what the segments hold. What a run that was cut off brought stays, and the next goes on behind it.

    Raises Refused as `ahead.compare` does, and `forked` or `database_ahead` if the database has records of its own;
    AuditRefused if the database cannot be written.
    """
    return rebuild(segments.lines)


def from_export(path: Path) -> Ahead:
    """The same from an export, into a database that has no segments beside it: an auditor's, or a new one.

    Raises Refused `evidence_there`, `export_altered`, Problem `unreadable`.
    """
    segments.refuse_if_there()
    try:
        with path.open("rb") as file:
            verdict = verify_export(lines_of(file))
    except OSError as error:
        raise Problem("unreadable", f"{path} cannot be read: {error.strerror}.") from error
    if not verdict.intact:
        raise Refused("export_altered", f"{verdict.faults[0].sentence} Nothing was changed.")
    return rebuild(lambda: _of_export(path))


def rebuild(lines: Lines) -> Ahead:
    """Bring back what `lines` hold. Returns how the two stood before."""
    found = compare(lines())
    if found.is_fork:
        first, sentence = found.common.seq + 1, "The database and the segments both went on, each by itself,"
        raise Refused("forked", f"{sentence} from record {first} on. `manage.py audits accept` settles that.")
    if found.own.seq > found.end.seq:
        raise Refused(
            "database_ahead", f"The database goes on behind record {found.end.seq}: nothing is missing in it."
        )
    bring_back(lines, found)
    segments.flush()
    return found


def bring_back(lines: Lines, found: Ahead) -> None:
    """Write the records behind `found.own`. Each batch is one transaction, and the next run goes on behind the last."""
    last, chain = found.own, Chain(first_seq=found.own.seq + 1)
    chain.head_hash = found.own.hash
    for batch in _batches(strictly(behind(lines(), found.own.seq), chain)):
        if batch[0].prev_hash != last.hash:
            raise Refused("segments_altered", f"Record {batch[0].seq} was altered while it was read.")
        last = _store(batch, behind=last, found=found)


def is_open() -> bool:
    """Whether records came back that nobody has answered for."""
    return Restoration.objects.exists()


def came_back() -> tuple[int, int] | None:
    """The last record that the database had by itself, and the last that came back; None if nobody has to answer."""
    return Restoration.objects.values_list("own_seq", "last_seq").first()


def close() -> None:
    """Somebody answers for it, in this transaction."""
    Restoration.objects.all().delete()


def behind(lines: Iterable[bytes], seq: int) -> Iterator[bytes]:
    """The lines of the records behind that one."""
    return (line for line in lines if seq_of(line) > seq)


def seq_of(line: bytes) -> int:
    """The number in a line of ours. For one that is none it is larger than any: whoever reads on finds that out."""
    found = SEQ.match(line)
    return int(found[1]) if found else LARGEST_SEQ


def _store(batch: list[Record], *, behind: Position, found: Ahead) -> Position:
    rows = [_row(record) for record in batch]
    last = Position(batch[-1].seq, batch[-1].hash)
    try:
        with transaction.atomic(durable=True):
            if head.locked() != behind:
                raise Refused(
                    "appended_meanwhile", "Somebody appended a record meanwhile. Stop what runs, and try again."
                )
            # with the first rows, not after them: a database that has caught up looks like one that forgot nothing
            began = {"begun_at": timezone.now(), "own_seq": found.own.seq, "last_seq": last.seq}
            Restoration.objects.get_or_create(id=Restoration.THE_ONE, defaults=began)
            Restoration.objects.update(last_seq=last.seq)
            head.append_all(rows, behind=behind)
    except DatabaseError as error:
        sentence = (
            f"The records {batch[0].seq} to {last.seq} could not be stored: {error}. What came before them is there."
        )
        raise AuditRefused(sentence) from error
    return last


def _row(record: Record) -> AuditRecord:
    try:
        return row_of(record)
    except ValueError as error:
        raise Refused("segments_altered", f"Record {record.seq} cannot be stored: {error}.") from error


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.payload)
        if len(batch) == AT_ONCE or size >= LARGEST_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _of_export(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from takewhile(lambda line: not line.startswith(b'{"trailer":'), lines_of(file))
