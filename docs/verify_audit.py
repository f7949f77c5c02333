#!/usr/bin/env python3
"""Verify an export of Launchplane's audit records, anywhere: Python 3.9 or newer, nothing else.

    python3 verify_audit.py EXPORT [SEQ:HASH ...]

EXPORT is what `manage.py audits export` printed, or /v1/evidence/export sent ("-": standard input). SEQ:HASH is what
somebody noted earlier of a record, from a checkpoint, a receipt or a notification: the export must hold exactly that
record. Without one, a chain that was rewritten as a whole looks as good as any, and so does an export whose end was cut
off and got a new trailer.

Each line is a record. Its `payload_hash` is the SHA-256 of its payload as it stands. Its `hash` is the SHA-256 of
"launchplane-audit-1" and a line feed, and then each of these as a netstring (length in bytes, ":", the text, ","):
seq, at, kind, key, host, lane, the actor's id and name, how many people are responsible and each of them, source,
status, payload_hash, prev_hash. `prev_hash` is the `hash` of the record before (zeros for the first). The last line is
a trailer: how many records, the first and last number, and the last record's hash.

Exit: 0 intact, 3 intact without a record, 4 altered (the first bad record is named), 2 not to be read.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any, BinaryIO, Iterable, Iterator, Sequence  # noqa: UP035  Python 3.9

FORMAT = "launchplane-audit-1"
GENESIS = "0" * 64
LONGEST_LINE = 64 * 1024 * 1024
NOTE = re.compile(r"([0-9]{1,19}):([0-9a-f]{64})")
UNPROVEN = "That nothing was cut off at its end is proved only by a SEQ:HASH that was noted."
STATUSES = ("planned", "completed", "failed", "skipped")
FIELDS = [
    *("seq", "at", "kind", "key", "host", "lane", "actor", "source", "status"),
    *("payload", "payload_hash", "prev_hash", "hash"),
]


class Altered(Exception):
    """The export is not what was exported; the text names the first record that is wrong."""


class Export:
    """What was seen of an export so far, held against what somebody noted of it ("SEQ:HASH")."""

    def __init__(self, notes: Iterable[str] = ()) -> None:
        self.count = 0
        self.first: int | None = None
        self.last: int | None = None
        self.head = GENESIS
        self.noted = [(int(seq), noted) for seq, _, noted in (note.partition(":") for note in notes)]
        self.hashes = dict.fromkeys((seq for seq, _ in self.noted), "")

    def add(self, line: bytes) -> None:
        """The next record. Raises Altered."""
        expected = None if self.last is None else self.last + 1
        record = parsed(line, expected)
        seq = record["seq"]
        if expected is not None and seq != expected:
            raise Altered(f"record {expected} is missing or not in its place: record {seq} stands there")
        if sha256(record["payload"].encode()) != record["payload_hash"]:
            raise Altered(f"record {seq} was altered: its payload is not the one that was recorded")
        if record_hash(record) != record["hash"]:
            raise Altered(f"record {seq} was altered: its hash does not cover what it says")
        if (self.count or seq == 1) and record["prev_hash"] != self.head:
            raise Altered(f"record {seq} does not follow the record before it: one of the two was replaced")
        self.count += 1
        self.first = seq if self.first is None else self.first
        self.last, self.head = seq, record["hash"]
        if seq in self.hashes:
            self.hashes[seq] = record["hash"]

    def end(self, line: bytes) -> None:
        """The trailer must say what came before it, and what was noted must be there. Raises Altered."""
        trailer = parsed_trailer(line)
        if trailer["first_seq"] != self.first:
            raise Altered(f"record {trailer['first_seq']} is missing: the export was cut off at its beginning")
        if (trailer["count"], trailer["last_seq"]) != (self.count, self.last):
            raise Altered(f"record {(self.last or 0) + 1} is missing: the trailer names record {trailer['last_seq']}")
        if self.count and trailer["head_hash"] != self.head:
            raise Altered(f"record {self.last} is not the head that the trailer names")
        for seq, noted in self.noted:
            if self.hashes[seq] != noted:
                raise Altered(f"record {seq} is not the one that was noted: the chain was rewritten")


def verify(lines: Iterable[bytes], notes: Iterable[str] = ()) -> Export:
    """Go through an export's lines (bytes). Returns what was seen; raises Altered."""
    export = Export(notes)
    rest = iter(lines)
    for line in rest:
        if line.startswith(b'{"trailer":'):
            export.end(line)
            if next(rest, None) is not None:
                raise Altered("something follows the trailer")
            return export
        if line.startswith(b'{"fault":'):
            raise Altered(f"record {(export.last or 0) + 1} is missing: the export could not go on, and says so")
        export.add(line)
    raise Altered(f"record {(export.last or 0) + 1} is missing: the export ends without its trailer")


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file that may be anything: what is longer than any record comes in pieces, which are none."""
    while line := file.readline(LONGEST_LINE):
        yield line


def parsed(line: bytes, seq: int | None) -> dict[str, Any]:
    """A record's line, which must be written exactly as it was exported."""
    which = "the first record" if seq is None else f"record {seq}"
    try:
        record: dict[str, Any] = json.loads(line)
        fine = has_form(record)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Altered(f"{which} was altered: its line is not in the form of a record") from None
    if not fine or written(record) != line:
        raise Altered(f"{which} was altered: its line is not as it was exported")
    return record


def has_form(record: dict[str, Any]) -> bool:
    """True if the fields are there, in order, and of their kinds."""
    actor = record["actor"]
    texts = [record[name] for name in FIELDS if name not in ("seq", "actor")] + [actor["id"], actor["name"]]
    "".join(texts + actor["responsible"]).encode()  # raises for what is no text
    ordered = list(record) == FIELDS and list(actor) == ["id", "name", "responsible"]
    numbered = type(record["seq"]) is int and record["seq"] > 0
    return ordered and numbered and record["status"] in STATUSES and type(actor["responsible"]) is list


def parsed_trailer(line: bytes) -> dict[str, Any]:
    """The trailer, which must be written exactly as it was exported."""
    trailer: dict[str, Any] = {}
    try:
        trailer = json.loads(line)["trailer"]
        fine = list(trailer) == ["format", "count", "first_seq", "last_seq", "head_hash"]
    except (ValueError, KeyError, TypeError, RecursionError):
        fine = False
    if not fine or trailer["format"] != FORMAT or written({"trailer": trailer}) != line:
        raise Altered("the trailer was altered")
    return trailer


def written(value: object) -> bytes:
    """As an export writes it."""
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def record_hash(record: dict[str, Any]) -> str:
    """What the record's `hash` must be."""
    people = record["actor"]["responsible"]
    texts = [str(record["seq"])] + [record[name] for name in ("at", "kind", "key", "host", "lane")]
    texts += [record["actor"]["id"], record["actor"]["name"], str(len(people)), *people]
    texts += [record[name] for name in ("source", "status", "payload_hash", "prev_hash")]
    encoded = (text.encode() for text in texts)
    return sha256(f"{FORMAT}\n".encode() + b"".join(b"%d:%s," % (len(text), text) for text in encoded))


def sha256(text: bytes) -> str:
    """Lower-case hexadecimal."""
    return hashlib.sha256(text).hexdigest()


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    if not arguments or not all(map(NOTE.fullmatch, arguments[1:])):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with sys.stdin.buffer if arguments[0] == "-" else Path(arguments[0]).open("rb") as file:
            export = verify(lines_of(file), arguments[1:])
    except OSError as error:
        print(f"{arguments[0]} cannot be read: {error}", file=sys.stderr)
        return 2
    except Altered as altered:
        print(f"ALTERED: {altered}.")
        return 4
    span = f", {export.first} to {export.last}, head {export.head}" if export.count else ""
    print(f"intact: {export.count} records{span}")
    if not arguments[1:]:
        print(UNPROVEN)
    return 0 if export.count else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
