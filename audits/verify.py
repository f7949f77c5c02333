"""Is the evidence what it was? The database's chain, its triggers, the segments beside it, and the signed heads.

Only looks; every fault names the first record that is not what it was.
"""

import json
from collections.abc import Callable, Iterator

from django.db import connection
from pydantic import ValidationError

from audits import branch, segments, sign, triggers
from audits.chain import Chain
from audits.contracts import Fault, Record, Verdict
from audits.faults import altered, cut_off, fault, verdict
from audits.models import AuditRecord, ChainHead, record_of

AT_ONCE = 2000


def verify_database() -> Verdict:
    """Everything that we hold: the whole chain, and what must agree with it."""
    head = ChainHead.objects.first()
    chain, beside = Chain(), Beside(segments.lines())
    for record in _records(chain, up_to=head.seq if head else 0):
        chain.add(record)
        beside.hold(record)
    beside.end(_is_known)
    beside_it = beside.fault or _store_fault(beside)
    faults = [
        chain.fault,
        _head_fault(chain, head),
        beside_it,
        *_checkpoint_faults(),
        *branch.faults(),
        *_trigger_faults(),
    ]
    return verdict("database", chain, faults, beside.notes())


class Beside:
    """The segments' lines, held against the records as they come by. They may begin late: old ones are put away."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.fault: Fault | None = None
        self.lagging = 0
        self._held = 0
        self._lines = lines
        self._line = next(lines, None)
        self._first = _seq(self._line) if self._line else 0
        self.is_empty = self._line is None

    def hold(self, record: Record) -> None:
        """The next line must be this record's; if there is none any more, it is not on the disk yet."""
        self._held = record.seq
        if self.fault is not None or (self._first is not None and record.seq < self._first):
            return
        if self._line is None:
            self.lagging += 1
        elif self._line != segments.line(record):
            self.fault = self._difference(record)
        else:
            self._line = next(self._lines, None)

    def notes(self) -> list[str]:
        """What is no fault: records that the segments do not have yet."""
        first = self._held - self.lagging + 1
        return [f"{self.lagging} records are not on the disk yet, from record {first} on."] if self.lagging else []

    def end(self, is_known: Callable[[bytes], bool]) -> None:
        """What is left over came meanwhile, or is something that the database lost, or is there twice."""
        while self.fault is None and self._line is not None:
            seq = _seq(self._line)
            if seq is None:
                sentence = f"What stands in the segments behind record {self._held} is no record."
                self.fault = fault("segments_differ", self._held + 1, sentence)
            elif not is_known(self._line):
                self.fault = fault("database_behind", seq, f"The segments hold a record {seq} that the database lost.")
            elif seq <= self._held:
                self.fault = fault("segments_differ", seq, f"Record {seq} stands in the segments once more.")
            self._line = next(self._lines, None)

    def _difference(self, record: Record) -> Fault:
        there = _seq(self._line or b"")
        seq = record.seq if there is None else min(there, record.seq)
        return fault("segments_differ", seq, f"Record {seq} is not the same in the database and in the segments.")


def _store_fault(beside: Beside) -> Fault | None:
    """What was there once and is not there any more may have held what the database forgot."""
    if beside.is_empty and segments.was_begun():
        return fault("segments_missing", 1, "There is no segment, and there were some: the evidence folder was lost.")
    return None


def _records(chain: Chain, *, up_to: int) -> Iterator[Record]:
    """The database's records; a row that cannot be one is a fault of the chain."""
    rows = AuditRecord.objects.filter(seq__lte=up_to).order_by("seq").values_list(named=True)
    for row in rows.iterator(AT_ONCE):
        try:
            yield record_of(row)
        except (ValueError, TypeError):
            chain.fault = chain.fault or altered(row.seq, "it is not in the form of a record")


def _head_fault(chain: Chain, head: ChainHead | None) -> Fault | None:
    """Between two looks at the head only the head moves: a record beyond it was put there by somebody else."""
    if chain.fault is not None:
        return None
    if head is not None and (chain.last_seq or 0, chain.head_hash) != (head.seq, head.hash):
        return cut_off(chain, f"The head names record {head.seq}, and the chain does not lead there")
    newest = AuditRecord.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    current = ChainHead.objects.first()
    if newest > (current.seq if current else 0):
        return fault("beyond_the_head", newest, f"Record {newest} stands beyond the head: it was not appended by us.")
    return None


def _checkpoint_faults() -> Iterator[Fault]:
    try:
        kept = sign.kept_checkpoints()
    except ValueError:
        yield fault("checkpoints_unreadable", None, "The signed heads cannot be read: their file was altered.")
        return
    if others := [signed for signed in kept if signed.public_key != sign.known_public_key()]:
        sentence = (
            f"The head at record {others[0].seq} was signed with another key than ours: {sign.KEY} is missing or new."
        )
        yield fault("signing_key_missing", others[0].seq, sentence)
        kept = [signed for signed in kept if signed not in others]
    known = dict(AuditRecord.objects.filter(seq__in={signed.seq for signed in kept}).values_list("seq", "hash"))
    for signed in kept:
        if not sign.is_genuine(signed):
            yield fault("checkpoint_forged", signed.seq, f"The head at record {signed.seq} is not signed by us.")
        elif signed.seq and known.get(signed.seq) != signed.hash:
            sentence = f"Record {signed.seq} is not the head that was signed: the chain was rewritten."
            yield fault("rewritten", signed.seq, sentence)


def _trigger_faults() -> Iterator[Fault]:
    if gone := triggers.missing(connection):
        sentence = f"The database lets records be altered: triggers are missing or changed ({', '.join(gone)})."
        yield fault("triggers_missing", None, sentence)


def _is_known(line: bytes) -> bool:
    try:
        record = Record.model_validate_json(line)
    except ValidationError:
        return False
    return AuditRecord.objects.filter(seq=record.seq, hash=record.hash).exists()


def _seq(line: bytes) -> int | None:
    try:
        return int(json.loads(line)["seq"])
    except (ValueError, KeyError, TypeError):
        return None
