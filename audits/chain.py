"""How records hang together: each one's hash covers what it says and the hash of the one before it.

The hash is SHA-256 over a version line and then each field as a netstring (`<bytes>:<text>,`), so that no text can
pass for two fields. docs/verify_audit.py does the same by itself, for people who have an export and nothing of ours.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from audits.contracts import Fault, Record

FORMAT = "launchplane-audit-1"
GENESIS = "0" * 64
_PREFIX = f"{FORMAT}\n".encode()


class Position(NamedTuple):
    """A record's place in a chain, and its hash, which covers everything up to there."""

    seq: int
    hash: str


NOTHING = Position(0, GENESIS)


def sha256(text: str) -> str:
    """Lower-case hexadecimal SHA-256 of the text's UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def record_hash(record: Record) -> str:
    """What `record.hash` must be. The payload is covered through its own hash."""
    actor = record.actor
    who = (actor.id, actor.name, str(len(actor.responsible)), *actor.responsible)
    what = (str(record.seq), record.at, record.kind, record.key, record.host, record.lane)
    fields = (*what, *who, record.source, record.status, record.payload_hash, record.prev_hash)
    netstrings = [b"%d:%b," % (len(encoded), encoded) for encoded in map(str.encode, fields)]
    return hashlib.sha256(_PREFIX + b"".join(netstrings)).hexdigest()


class Chain:
    """Records as they come by, each held against the one before. `fault` is the first thing wrong, and stays."""

    def __init__(self, *, first_seq: int | None = 1) -> None:
        """`first_seq` is where it must begin; None for a chain that may begin anywhere."""
        self.count = 0
        self.first_seq: int | None = None
        self.last_seq: int | None = None
        self.head_hash = GENESIS
        self.fault: Fault | None = None
        self._expected = first_seq

    def follow(self, records: Iterable[Record]) -> Fault | None:
        """Go through `records` as far as they are right. Returns the fault, if there is one."""
        for record in records:
            if self.add(record) is not None:
                break
        return self.fault

    def add(self, record: Record) -> Fault | None:
        """Hold the next record against what came before."""
        self.fault = self.fault or self._fault_of(record)
        if self.fault is None:
            self.count += 1
            self.first_seq = record.seq if self.first_seq is None else self.first_seq
            self.last_seq, self.head_hash = record.seq, record.hash
            self._expected = record.seq + 1
        return self.fault

    def _fault_of(self, record: Record) -> Fault | None:
        expected = record.seq if self._expected is None else self._expected
        if record.seq != expected:
            sentence = f"Record {expected} is missing or not in its place: record {record.seq} stands there."
            return Fault(code="out_of_place", seq=expected, sentence=sentence)
        if sha256(record.payload) != record.payload_hash:
            sentence = f"Record {expected} was altered: its payload is not the one that was recorded."
            return Fault(code="payload_altered", seq=expected, sentence=sentence)
        if record_hash(record) != record.hash:
            sentence = f"Record {expected} was altered: its hash does not cover what it says."
            return Fault(code="record_altered", seq=expected, sentence=sentence)
        if (self.count or expected == 1) and record.prev_hash != self.head_hash:
            sentence = f"Record {expected} does not follow the record before it: one of the two was replaced."
            return Fault(code="link_broken", seq=expected, sentence=sentence)
        return None
