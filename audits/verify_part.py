"""A piece of the chain, verified: so many records from one on, and no more, for a page that somebody waits for."""

from dataclasses import dataclass
from typing import cast

from audits import chain, lines, sign
from audits.chain import Chain
from audits.contracts import Actor, Checkpoint, Fault, Record, Status
from audits.faults import altered, fault
from audits.models import AuditRecord, ChainHead


@dataclass(frozen=True, slots=True)
class Part:
    """What looking at it showed. `next_seq` is where to go on, None at the head or behind a fault.

    `signed` is the newest signed head among these records, which is the record there, and `ahead` the next one behind.
    """

    first_seq: int
    last_seq: int
    fault: Fault | None
    next_seq: int | None
    signed: Checkpoint | None
    ahead: Checkpoint | None


def verify_part(from_seq: int) -> Part:
    """The records from `from_seq` on, at most a page of them, each held against the one before. Only looks.

    Raises ValueError if the file of signed heads cannot be read.
    """
    newest = ChainHead.objects.first()
    head = newest.seq if newest else 0
    seen = Chain(first_seq=from_seq)
    seen.follow(map(_record, lines.page(after=from_seq - 1, up_to=head)))
    last = seen.last_seq or from_seq - 1
    found = _before(from_seq) or seen.fault
    if found is None and last < head and seen.last_seq is None:
        found = fault("out_of_place", from_seq, f"Record {from_seq} is missing.")
    heads = [signed for signed in sign.kept_checkpoints() if sign.is_genuine(signed)]
    within = [signed for signed in heads if from_seq <= signed.seq <= last]
    found = found or _rewritten(within)
    return Part(
        first_seq=from_seq,
        last_seq=last,
        fault=found,
        next_seq=last + 1 if found is None and last < head else None,
        signed=max(within, key=lambda signed: signed.seq, default=None),
        ahead=min((signed for signed in heads if signed.seq > last), key=lambda signed: signed.seq, default=None),
    )


def _before(seq: int) -> Fault | None:
    """Whether the record follows the one before it."""
    own = AuditRecord.objects.filter(seq=seq).values_list("prev_hash", flat=True).first()
    before = AuditRecord.objects.filter(seq=seq - 1).values_list("hash", flat=True).first()
    if own is None or own == (before or chain.GENESIS):
        return None
    return altered(seq, "it does not follow the record before it")


def _rewritten(signed: list[Checkpoint]) -> Fault | None:
    hashes = dict(AuditRecord.objects.filter(seq__in=[each.seq for each in signed]).values_list("seq", "hash"))
    for each in signed:
        if hashes.get(each.seq) != each.hash:
            return fault("rewritten", each.seq, f"Record {each.seq} is not the head that was signed.")
    return None


def _record(row: lines.Row) -> Record:
    """As it stands in the database, whatever that is: its hash shows whether it is what it was."""
    seq, at, kind, key, host, lane, actor_id, name, people, source, status, payload, said, before, own = row
    return Record.model_construct(
        seq=seq,
        at=at,
        kind=kind,
        key=key,
        host=host,
        lane=lane,
        actor=Actor(id=actor_id, name=name, responsible=tuple(lines.people(people))),
        source=source,
        status=cast(Status, status),
        payload=payload,
        payload_hash=said,
        prev_hash=before,
        hash=own,
    )
