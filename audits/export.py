"""Records as lines of JSON, from a fixed head, with a trailer that says what must have come before it."""

import json
from collections.abc import Iterator

from audits import chain, segments
from audits.contracts import Trailer
from audits.models import AuditRecord, ChainHead, record_of

AT_ONCE = 2000


def export(*, from_seq: int = 1) -> Iterator[bytes]:
    """The records from `from_seq` to what is the head now, a line each, and the trailer. Nothing newer slips in."""
    head = ChainHead.objects.first()
    last_seq, head_hash = (head.seq, head.hash) if head else (0, chain.GENESIS)
    count = 0
    rows = AuditRecord.objects.filter(seq__range=(from_seq, last_seq)).values_list(named=True)
    for row in rows.iterator(AT_ONCE):
        count += 1
        yield segments.line(record_of(row))
    yield trailer_line(
        Trailer(
            format=chain.FORMAT,
            count=count,
            first_seq=from_seq if count else None,
            last_seq=last_seq if count else None,
            head_hash=head_hash,
        )
    )


def trailer_line(trailer: Trailer) -> bytes:
    """The last line of an export."""
    return json.dumps({"trailer": trailer.model_dump()}, separators=(",", ":")).encode("ascii") + b"\n"
