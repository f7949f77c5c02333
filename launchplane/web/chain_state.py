"""How the chain stands for whoever looks: its end in the database and its end in the evidence store, cheaply.

What goes through both is `manage.py audits verify`. While they do not belong together nothing is begun on any host
(`launchplane.changes.restored`), so this says that, and what to do.
"""

import json
import mmap
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from audits import rebuild, segments
from audits.chain import NOTHING, Position
from audits.errors import AuditRefused
from audits.models import AuditRecord, ChainHead

NOTHING_BEGINS = frozenset({"unknown", "lost", "forked", "returned"})


@dataclass(frozen=True, slots=True)
class ChainState:
    """Where the chain ends in the database and where in the evidence store, when that was last written, and
    `verdict`: `empty`, `kept`, `behind`, `lost`, `forked`, `returned` or `unknown`.
    """

    head: Position
    kept: Position
    written_at: datetime | None
    problem: str
    verdict: str

    @property
    def missing(self) -> int:
        """How many records the evidence store does not have yet."""
        return self.head.seq - self.kept.seq

    @property
    def nothing_begins(self) -> bool:
        """Whether no host is changed until somebody has seen to it."""
        return self.verdict in NOTHING_BEGINS


def chain_state() -> ChainState:
    """Both ends of the chain. The store is read first: it is never ahead of a database that is as it was."""
    kept, written_at, problem = NOTHING, None, ""
    try:
        kept, written_at = _end_of_segments()
    except (OSError, AuditRefused, ValueError, KeyError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"[:300]
    head = ChainHead.objects.first()
    end = Position(head.seq, head.hash) if head else NOTHING
    return ChainState(end, kept, written_at, problem, "unknown" if problem else _verdict(end, kept))


def _verdict(head: Position, kept: Position) -> str:
    if kept == NOTHING and segments.was_begun():
        return "lost"
    if not _is_known(kept, head):
        return "forked"
    if rebuild.is_open():
        return "returned"
    if kept.seq < head.seq:
        return "behind"
    return "empty" if head == NOTHING else "kept"


def _is_known(kept: Position, head: Position) -> bool:
    """Whether the database has the record that the evidence store ends with."""
    if kept in (NOTHING, head):
        return True
    return kept.seq < head.seq and AuditRecord.objects.filter(seq=kept.seq, hash=kept.hash).exists()


def _end_of_segments() -> tuple[Position, datetime | None]:
    for path in reversed(segments.files()):
        if text := _last_line(path):
            record = json.loads(text)
            found = Position(int(record["seq"]), str(record["hash"]))
            return found, datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return NOTHING, None


def _last_line(path: Path) -> bytes:
    """The last whole line, read from the end; one that is not finished is left alone."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return b""
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            end = text.rfind(b"\n")
            return text[text.rfind(b"\n", 0, max(end, 0)) + 1 : end] if end >= 0 else b""
