"""The head of the chain: the one row that everybody who appends waits for.

Plain SQL, of a few short statements: whoever holds the row holds up everybody else, and the ORM takes longer to write
such statements than a database to execute them (`script/bench audit`).
"""

from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, connection

from audits.chain import NOTHING, Position
from audits.models import AuditRecord, ChainHead, EvidenceStore

_RECORDS, _HEAD = AuditRecord._meta.db_table, ChainHead._meta.db_table
_FIELDS = AuditRecord._meta.concrete_fields
_COLUMNS = ", ".join(str(field.column) for field in _FIELDS)
_VALUES = ", ".join(["%s"] * len(_FIELDS))
_LOOK = f"SELECT seq, hash FROM {_HEAD} WHERE id = {ChainHead.THE_ONE}"  # noqa: S608  names of ours, here and below
_MOVE = f"UPDATE {_HEAD} SET seq = %s, hash = %s WHERE id = {ChainHead.THE_ONE} AND seq = %s"  # noqa: S608
_INSERT = f"INSERT INTO {_RECORDS} ({_COLUMNS}) VALUES ({_VALUES})"  # noqa: S608
_BEGUN = f"EXISTS (SELECT 1 FROM {EvidenceStore._meta.db_table})"  # noqa: S608
# one way to the server and back instead of three
_ALL = (
    f"WITH moved AS ({_MOVE} RETURNING id) INSERT INTO {_RECORDS} ({_COLUMNS}) SELECT {_VALUES} FROM moved "  # noqa: S608
    f"RETURNING {_BEGUN}"
)


def seq() -> int:
    """The number of the last record that was committed, 0 before the first."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def locked() -> Position:
    """Where the chain ends. It stays there until this transaction ends; nobody else appends meanwhile."""
    return _locked() or _begun()


def append(record: AuditRecord, *, behind: Position) -> bool:
    """Store `record` and let the head name it. Raises DatabaseError if the head is not `behind` any more.

    True if the database knows that there are segments beside it.
    """
    moved: list[Any] = [record.seq, record.hash, behind.seq]
    row = _row(record)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_ALL, [*moved, *row])
        else:
            cursor.execute(_INSERT, row)
            cursor.execute(f"{_MOVE} RETURNING {_BEGUN}", moved)
        if (answer := cursor.fetchone()) is None:
            raise DatabaseError("somebody else appended at the same time")
    record._state.adding, record._state.db = False, connection.alias
    return bool(answer[0])


def append_all(records: Sequence[AuditRecord], *, behind: Position) -> None:
    """`append` for records that follow each other. The triggers see each row, and each step of the head, by itself."""
    rows = [_row(record) for record in records]
    befores = [behind.seq, *(record.seq for record in records[:-1])]
    moves = [(record.seq, record.hash, before) for record, before in zip(records, befores, strict=True)]
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, rows)
        cursor.executemany(_MOVE, moves)
        if cursor.rowcount != len(records):
            raise DatabaseError("somebody else appended at the same time")


def _row(record: AuditRecord) -> list[Any]:
    return [field.get_db_prep_save(getattr(record, field.attname), connection) for field in _FIELDS]


def _locked() -> Position | None:
    """SQLite's write transactions exclude each other from their first statement on; it has no lock for one row."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_LOOK} FOR UPDATE" if connection.features.has_select_for_update else _LOOK)
        row = cursor.fetchone()
    return Position(*row) if row else None


def _begun() -> Position:
    """The head of a chain without a record; if several make it at once, one does."""
    ChainHead.objects.bulk_create([ChainHead(seq=NOTHING.seq, hash=NOTHING.hash)], ignore_conflicts=True)
    if (head := _locked()) is None:
        raise DatabaseError("the head of the chain is gone")
    return head
