"""Records of the segments that the database cannot take, as it recorded others under their numbers meanwhile.

They are put away as an export of their own beside the segments, byte for byte, which docs/verify_audit.py verifies; so
are the heads that were signed of them. Only then do the segments go on from the last record that both have.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from audits import chain, disk, segments
from audits.ahead import Ahead
from audits.contracts import Checkpoint, Fault, Trailer
from audits.export import trailer_line
from audits.models import AuditRecord
from audits.rebuild import behind, seq_of
from audits.verify_export import lines_of, verify_export

# the kind of the record that names such a file
ACCEPTED = "restore.accepted"
RECORDS, HEADS = ".ndjson", ".heads.ndjson"


def name_of(found: Ahead) -> str:
    """The file that `put_away` makes in the evidence folder."""
    return f"put-away-{found.common.seq + 1}-{found.end.seq}-{found.end.hash[:12]}{RECORDS}"


def is_put_away(name: str, found: Ahead) -> bool:
    """Whether that file of the evidence folder holds all that the segments still hold behind `found.common`."""
    path = segments.folder() / name
    return path.is_file() and disk.holds(path, f'"hash":"{found.end.hash}"}}\n'.encode("ascii"))


def put_away(name: str, found: Ahead) -> None:
    """Keep the records behind `found.common` in the file `name`, and take them out of the segments.

    A crash at any point leaves the segments ahead of the database as before, and the next run goes on. Raises
    AuditRefused.
    """
    with segments.refusing(), disk.only_writer(segments.folder()):
        if not is_put_away(name, found):
            disk.write_whole(segments.folder() / name, _export(found))
        _put_heads_away(segments.folder() / (name.removesuffix(RECORDS) + HEADS), found)
        for segment in reversed(segments.files()):
            disk.cut(segment, _length_up_to(segment, found.common.seq))


def faults() -> Iterator[Fault]:
    """Of each file that somebody accepted as put away: that it is gone, or not what it was."""
    for row in AuditRecord.objects.filter(kind=ACCEPTED).order_by("seq"):
        said = json.loads(row.payload)
        if name := said.get("put_away"):
            path = segments.folder() / name
            first, last = said["after_seq"] + 1, said["last_seq"]
            if not path.is_file():
                sentence = f"Records {first} to {last} were put away as {name}, and it is gone."
                yield Fault(code="put_away_missing", seq=first, sentence=sentence)
                continue
            with path.open("rb") as file:
                verdict = verify_export(lines_of(file))
            if not verdict.intact or verdict.head_hash != said["head_hash"]:
                seq = verdict.faults[0].seq if verdict.faults else last
                yield Fault(
                    code="put_away_altered", seq=seq, sentence=f"{name} is not what was put away: record {seq}."
                )


def _export(found: Ahead) -> Iterator[bytes]:
    first, last = found.common.seq + 1, found.end
    yield from behind(segments.lines(), found.common.seq)
    yield trailer_line(
        Trailer(format=chain.FORMAT, count=found.count, first_seq=first, last_seq=last.seq, head_hash=last.hash)
    )


def _put_heads_away(path: Path, found: Ahead) -> None:
    """Heads that were signed of these records: `audits verify` would miss them in the database."""
    kept = segments.checkpoint_lines()
    theirs = [line for line in kept if _is_theirs(line, found)]
    if theirs:
        before = path.read_bytes().splitlines() if path.exists() else []
        disk.write_whole(path, (line + b"\n" for line in dict.fromkeys([*before, *theirs])))
        rest = (line + b"\n" for line in kept if line not in theirs)
        disk.write_whole(segments.folder() / segments.CHECKPOINTS, rest)


def _is_theirs(line: bytes, found: Ahead) -> bool:
    """Every signed head was found to be of the segments or of the database, by `ahead.compare`."""
    signed = Checkpoint.model_validate_json(line)
    ours = AuditRecord.objects.filter(seq=signed.seq, hash=signed.hash)
    return signed.seq > found.common.seq and not ours.exists()


def _length_up_to(segment: Path, seq: int) -> int:
    """How many bytes of the segment are records up to that one."""
    length = 0
    with segment.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n") or seq_of(line) > seq:
                break
            length += len(line)
    return length
