"""Is an export what was exported? Every fault names the first record that is not what it was.

docs/verify_audit.py says the same without us; a test holds the two against each other.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from pydantic import ValidationError

from audits import segments
from audits.chain import FORMAT, Chain
from audits.contracts import Fault, Record, Trailer, TrailerLine, Verdict
from audits.export import trailer_line
from audits.faults import altered, cut_off, fault, verdict
from audits.models import AuditRecord, ChainHead

UNPROVEN = (
    "That nothing was cut off at its end is proved only by a SEQ:HASH that was noted: docs/verify_audit.py takes it."
)
LONGEST_LINE = 64 * 1024 * 1024


def verify_export(lines: Iterable[bytes]) -> Verdict:
    """An export, wherever it comes from; our database is not asked."""
    chain = Chain(first_seq=None)
    return verdict("export", chain, [_first_fault(chain, iter(lines))], [UNPROVEN])


def beside_our_records(verdict: Verdict) -> Verdict:
    """The same, and whether our own chain has the export's last record, and goes on from there."""
    newest = ChainHead.objects.first()
    last = verdict.last_seq
    if not verdict.intact or last is None or newest is None or not newest.seq:
        return verdict
    seq = newest.seq
    if not AuditRecord.objects.filter(seq=last, hash=verdict.head_hash).exists():
        sentence = f"Record {last} is not in our own records: one was rewritten, or the export is somebody else's."
        return verdict.model_copy(update={"faults": (fault("not_ours", last, sentence),)})
    if last == seq:
        return verdict
    return verdict.model_copy(update={"notes": (f"Our own records go on up to record {seq}.", *verdict.notes)})


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file that may be anything: what is longer than any record comes in pieces, which are none."""
    while line := file.readline(LONGEST_LINE):
        yield line


def _first_fault(chain: Chain, lines: Iterator[bytes]) -> Fault | None:
    for line in lines:
        if line.startswith(b'{"trailer":'):
            return _trailer_fault(chain, _trailer(line), rest=next(lines, None))
        if line.startswith(b'{"fault":'):
            return cut_off(chain, "The export could not go on, and says so")
        if (found := _line_fault(chain, line)) is not None:
            return found
    return cut_off(chain, "The export ends without its trailer")


def _line_fault(chain: Chain, line: bytes) -> Fault | None:
    """What is wrong with an export's next line. It must be the bytes that we write, not merely mean the same."""
    seq = None if chain.last_seq is None else chain.last_seq + 1
    try:
        record = Record.model_validate_json(line)
    except ValidationError:
        return altered(seq, "its line is not in the form of a record")
    return chain.add(record) or (None if segments.line(record) == line else altered(record.seq, "its line is not ours"))


def _trailer(line: bytes) -> Trailer | None:
    try:
        trailer = TrailerLine.model_validate_json(line).trailer
    except ValidationError:
        return None
    return trailer if trailer_line(trailer) == line else None


def _trailer_fault(chain: Chain, trailer: Trailer | None, *, rest: bytes | None) -> Fault | None:
    if rest is not None:
        return fault("after_the_end", None, "Something follows the export's trailer.")
    if trailer is None or trailer.format != FORMAT:
        return fault("trailer_altered", None, "The export's trailer was altered.")
    if trailer.first_seq != chain.first_seq:
        sentence = f"Record {trailer.first_seq} is missing: the export was cut off at its beginning."
        return fault("cut_off", trailer.first_seq, sentence)
    if (trailer.count, trailer.last_seq) != (chain.count, chain.last_seq):
        return cut_off(chain, f"The export's trailer names record {trailer.last_seq}")
    if chain.count and trailer.head_hash != chain.head_hash:
        return fault(
            "head_replaced", chain.last_seq, f"Record {chain.last_seq} is not the head that the trailer names."
        )
    return None
