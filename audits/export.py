"""Records as lines of JSON, up to a head that is fixed when it begins, with a trailer that says what came before it.

Nothing newer slips in, and nothing is held meanwhile: each page is a short query of its own. Where a record is missing
the export says so and ends there; a trailer never stands behind a gap.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from audits import chain, lines
from audits.chain import NOTHING, Position
from audits.contracts import Fault, Trailer
from audits.faults import fault
from audits.models import AuditRecord, ChainHead
from launchplane.problems import Problem, Refused


@dataclass(frozen=True, slots=True)
class Extent:
    """What an export holds: the records from `from_seq` to the one at `head`.

    `after_seq` is where one goes on with it that broke off: what comes then is its rest, byte for byte.
    """

    from_seq: int
    head: Position
    after_seq: int

    @property
    def count(self) -> int:
        """How many records the whole export holds."""
        return self.head.seq - self.from_seq + 1

    def trailer(self) -> Trailer:
        """What the whole export says at its end."""
        return Trailer(
            format=chain.FORMAT,
            count=self.count,
            first_seq=self.from_seq if self.count else None,
            last_seq=self.head.seq if self.count else None,
            head_hash=self.head.hash,
        )


class Missing(Refused):
    """A record is not where it must be: the chain is broken, and what was exported of it has no end."""

    def __init__(self, seq: int, stands_there: int | None) -> None:
        instead = "" if stands_there is None else f": record {stands_there} stands there"
        super().__init__("out_of_place", f"Record {seq} is missing or not in its place{instead}.")
        self.fault: Fault = fault(self.code, seq, self.sentence)


def extent(*, from_seq: int = 1, to_seq: int | None = None, after_seq: int | None = None) -> Extent:
    """Fix what to export, up to `to_seq` or what is the head now. `from_seq` one behind that is an export of nothing.

    Raises Problem `bad_number` or `beyond_the_head`, Missing if there is no record where it has to end, and Refused
    `head_gone`.
    """
    if from_seq < 1 or (to_seq is not None and to_seq < from_seq - 1):
        raise Problem("bad_number", "An export begins with record 1 or a later one, and ends behind where it begins.")
    head = _head(to_seq)
    if from_seq > head.seq + 1:
        raise _beyond(from_seq - 1, head.seq)
    if after_seq is not None and not from_seq <= after_seq <= head.seq:
        sentence = f"An export of the records {from_seq} to {head.seq} cannot have broken off after record {after_seq}."
        raise Problem("bad_number", sentence)
    after = from_seq - 1 if after_seq is None else after_seq
    return Extent(from_seq, head, after)


def export(*, from_seq: int = 1) -> Iterator[bytes]:
    """The export from `from_seq` to what is the head now, in pieces of whole lines. Raises what `extent` and
    `lines_of` raise."""
    return lines_of(extent(from_seq=from_seq))


def lines_of(extent: Extent) -> Iterator[bytes]:
    """The lines of an export, in pieces of whole lines. Raises Missing, after a line that says so."""
    try:
        for rows in pages(extent):
            yield lines.text_of(rows).encode("ascii")
    except Missing as missing:
        yield fault_line(missing.fault)
        raise
    yield trailer_line(extent.trailer())


def pages(extent: Extent) -> Iterator[list[lines.Row]]:
    """The records of an export, some at once. Raises Missing behind the last one that has its place."""
    last, end = extent.after_seq, extent.head.seq
    for rows in lines.pages(after=last, up_to=end):
        whole = rows[: _unbroken(rows, after=last)]
        if whole:
            yield whole
            last = whole[-1][0]
        if len(whole) < len(rows):
            raise Missing(last + 1, rows[len(whole)][0])
    if last < end:
        raise Missing(last + 1, None)


def trailer_line(trailer: Trailer) -> bytes:
    """The last line of an export."""
    return _line({"trailer": trailer.model_dump()})


def fault_line(fault: Fault) -> bytes:
    """The last line of an export that cannot go on. It is no record and no trailer, so nothing verifies with it."""
    return _line({"fault": fault.model_dump()})


def _line(said: dict[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode("ascii") + b"\n"


def _unbroken(rows: list[lines.Row], *, after: int) -> int:
    """How many of `rows`, which are in order, follow `after` without a gap."""
    if rows and rows[-1][0] == after + len(rows):
        return len(rows)
    return next((at for at, row in enumerate(rows) if row[0] != after + 1 + at), len(rows))


def _head(to_seq: int | None) -> Position:
    now = _newest()
    if to_seq is None or to_seq == now.seq:
        return now
    if to_seq > now.seq:
        raise _beyond(to_seq, now.seq)
    if to_seq == 0:
        return NOTHING
    found = AuditRecord.objects.filter(seq=to_seq).values_list("seq", "hash").first()
    if found is None:
        raise Missing(to_seq, None)
    return Position(*found)


def _newest() -> Position:
    """The head of the chain. Raises Refused `head_gone` where records have none: that is no empty chain."""
    if (head := ChainHead.objects.first()) is not None:
        return Position(head.seq, head.hash)
    if AuditRecord.objects.exists():
        raise Refused("head_gone", "There are records, and no head of their chain: it was taken away.")
    return NOTHING


def _beyond(seq: int, head: int) -> Problem:
    sentence = f"There is no record {seq}: the chain ends with {head}. If there was one, the database was restored."
    return Problem("beyond_the_head", sentence)
