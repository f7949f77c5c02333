"""What do the segments hold that the database does not? Both are gone through side by side; nothing is changed.

Whatever brings records back stands on this answer: one line that is not what was written, and there is none.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from pydantic import ValidationError

from audits import segments, sign
from audits.chain import NOTHING, Chain, Position
from audits.contracts import Record
from audits.models import AuditRecord, ChainHead, record_of
from launchplane.problems import Refused

AT_ONCE = 2000
LOOK = "Nothing was changed. Keep copies of both, and see what `manage.py audits verify` says."


@dataclass(frozen=True, slots=True)
class Ahead:
    """`own` is where the database ends, `end` where the segments end, `common` the last record that both have."""

    own: Position
    common: Position
    end: Position

    @property
    def count(self) -> int:
        """How many records the database does not have."""
        return self.end.seq - self.common.seq

    @property
    def is_fork(self) -> bool:
        """Whether the database went on by itself behind `common`, and the segments did too."""
        return self.common not in (self.own, self.end)


def compare(lines: Iterable[bytes]) -> Ahead:
    """Hold `lines` (of segments, or of an export without its trailer) against the database, both to their ends.

    In constant memory. Raises Refused: `no_segments`, `segments_altered`, `segments_incomplete`, `database_altered`,
    `another_chain`.
    """
    theirs, ours = Chain(first_seq=None), _Ours()
    common, forked = NOTHING, False
    heads = _SignedHeads()
    for record in strictly(lines, theirs):
        heads.see(record)
        if theirs.count == 1:
            common = _beginning(record, ours)
        same = None if forked else ours.is_next(record)
        forked = forked or same is False
        common = Position(record.seq, record.hash) if same else common
    if not theirs.count:
        raise Refused("no_segments", f"There is no record in {settings.EVIDENCE_DIR} to bring back. {_NOT_OURS}")
    own = ours.to_the_end()
    end = Position(theirs.last_seq or 0, theirs.head_hash)
    heads.require_known(end)
    if forked and common == NOTHING:
        raise Refused("another_chain", f"The segments and the database begin with another record 1. {_NOT_OURS}")
    return Ahead(own, common, end)


def strictly(lines: Iterable[bytes], chain: Chain) -> Iterator[Record]:
    """The records of `lines`, each the very bytes that we write and held against the one before by `chain`.

    Raises Refused `segments_altered`, which names the first record that is not what it was.
    """
    for line in lines:
        try:
            record = Record.model_validate_json(line)
        except ValidationError as error:
            where = "The first record" if chain.last_seq is None else f"Record {chain.last_seq + 1}"
            raise _altered(f"{where} was altered: its line is not in the form of a record.") from error
        if (fault := chain.add(record)) is not None:
            raise _altered(fault.sentence)
        if segments.line(record) != line:
            raise _altered(f"Record {record.seq} was altered: its line is not the one that was written.")
        yield record


_NOT_OURS = "They do not belong together: is `LAUNCHPLANE_EVIDENCE_DIR` the right folder, and this the right database?"


class _Ours:
    """The database's own records, as far as they have been gone through."""

    def __init__(self) -> None:
        head = ChainHead.objects.first()
        self._end = Position(head.seq, head.hash) if head else NOTHING
        self._chain = Chain()
        self._rows = self._read()

    def up_to(self, seq: int) -> Position:
        """Go on to `seq`, or to the end if that comes before."""
        while (self._chain.last_seq or 0) < seq and next(self._rows, None) is not None:
            pass
        return self._position()

    def is_next(self, record: Record) -> bool | None:
        """Whether the next record is `record`; None where the database has ended."""
        row = next(self._rows, None)
        return None if row is None else row == record

    def to_the_end(self) -> Position:
        """Go on to the end, which the head has to name. Raises Refused `database_altered`."""
        for _ in self._rows:
            pass
        if self._position() != self._end:
            raise _damaged(f"The head names record {self._end.seq}, and the chain does not lead there.")
        return self._end

    def _position(self) -> Position:
        return Position(self._chain.last_seq or 0, self._chain.head_hash)

    def _read(self) -> Iterator[Record]:
        found = AuditRecord.objects.filter(seq__lte=self._end.seq).order_by("seq").values_list(named=True)
        for row in found.iterator(AT_ONCE):
            try:
                record = record_of(row)
            except (ValueError, TypeError) as error:
                raise _damaged(f"Record {row.seq} was altered: it is not in the form of a record.") from error
            if (fault := self._chain.add(record)) is not None:
                raise _damaged(fault.sentence)
            yield record


class _SignedHeads:
    """Every head that was signed has to be one of the records, here or in the database: nothing signed may be lost."""

    def __init__(self) -> None:
        self._wanted: defaultdict[int, set[str]] = defaultdict(set)
        try:
            for signed in sign.kept_checkpoints():
                if signed.seq:
                    self._wanted[signed.seq].add(signed.hash)
        except ValueError as error:
            raise _altered("The signed heads beside the segments cannot be read: their file was altered.") from error

    def see(self, record: Record) -> None:
        if record.seq in self._wanted:
            self._wanted[record.seq].discard(record.hash)

    def require_known(self, end: Position) -> None:
        """Raises Refused `segments_incomplete` for one beyond the end, `segments_altered` for one not as signed."""
        for seq, hashes in sorted(self._wanted.items()):
            for signed in hashes:
                if AuditRecord.objects.filter(seq=seq, hash=signed).exists():
                    continue
                if seq > end.seq:
                    sentence = f"A signed head names record {seq}, and the segments end with {end.seq}: they were cut."
                    raise Refused("segments_incomplete", f"{sentence} {LOOK}")
                raise _altered(f"Record {seq} is not the head that was signed: the chain was rewritten.")


def _beginning(first: Record, ours: _Ours) -> Position:
    """The database's record before the `first` of the segments: old segments may have been put away."""
    before = ours.up_to(first.seq - 1)
    if before.seq != first.seq - 1:
        sentence = f"The segments begin with record {first.seq}, and the database ends with {before.seq}."
        raise Refused("segments_incomplete", f"{sentence} Put back the older segments that were put away. {LOOK}")
    if before.hash != first.prev_hash:
        raise Refused("another_chain", f"Record {first.seq} of the segments does not follow ours. {_NOT_OURS}")
    return before


def _altered(sentence: str) -> Refused:
    return Refused("segments_altered", f"{sentence} {LOOK}")


def _damaged(sentence: str) -> Refused:
    return Refused("database_altered", f"In the database: {sentence} {LOOK}")
