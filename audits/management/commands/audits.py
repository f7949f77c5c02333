"""`manage.py audits list|verify|export|checkpoint|rebuild`, and what others add (`accept`, `adopt`)."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from audits import more_commands
from audits.contracts import Verdict
from audits.export import export
from audits.models import AuditRecord
from audits.rebuild import from_export, from_segments, is_open
from audits.sign import checkpoint
from audits.verify import verify_database
from audits.verify_export import beside_our_records, lines_of, verify_export
from launchplane.commands import ATTENTION, FINE, REFUSED, Subcommands
from launchplane.problems import Problem

FILTERS: list[tuple[list[str], dict[str, Any]]] = [
    (["--kind"], {"default": "", "help": "only records of this kind"}),
    (["--host"], {"default": "", "help": "only records of this host"}),
    (["--key"], {"default": "", "help": "only records of this change or run"}),
    (["--limit"], {"type": int, "default": 50, "metavar": "N", "help": "at most N records (default 50)"}),
]
FILE: tuple[list[str], dict[str, Any]] = (
    ["file"],
    {"nargs": "?", "metavar": "FILE", "help": "an export; without it, the database and the segments"},
)
SOURCE: tuple[list[str], dict[str, Any]] = (
    ["file"],
    {"nargs": "?", "metavar": "FILE", "help": "an export; without it, the segments"},
)
FROM_SEQ: tuple[list[str], dict[str, Any]] = (
    ["--from-seq"],
    {"type": int, "default": 1, "metavar": "N", "help": "begin with record N"},
)


WAITS = "Nothing is begun on any host until `manage.py audits accept --as USER --reason R` answers for it."


class Command(Subcommands):
    help = "List, verify and export audit records, sign the head of their chain, bring lost ones back."

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(required=True, metavar="list|verify|export|checkpoint|rebuild|accept|adopt")
        self.sub(subcommands, "list", self.list, help_text="List records, the newest first.", arguments=FILTERS)
        self.sub(subcommands, "verify", self.verify, help_text="Look whether records were altered.", arguments=[FILE])
        self.sub(subcommands, "export", self.export, help_text="Print records as lines of JSON.", arguments=[FROM_SEQ])
        self.sub(subcommands, "checkpoint", self.checkpoint, help_text="Sign the head of the chain, and print it.")
        self.sub(subcommands, "rebuild", self.rebuild, help_text="Bring lost records back.", arguments=[SOURCE])
        more_commands.add_to(self, subcommands)

    def list(self, *, kind: str, host: str, key: str, limit: int, json: bool, **_: Any) -> None:
        wanted = {name: value for name, value in {"kind": kind, "host": host, "key": key}.items() if value}
        found = AuditRecord.objects.filter(**wanted).order_by("-seq")[: max(limit, 0)]
        if json:
            self.print_json([row.as_record().model_dump(mode="json") for row in found])
            return
        rows = [
            (r.seq, f"{r.at:%Y-%m-%d %H:%M:%S}", r.kind, r.status, r.host, r.lane, r.actor_name, r.key) for r in found
        ]
        if rows:
            self.print_table(["#seq", "at (UTC)", "kind", "status", "host", "lane", "who", "key"], rows)
        else:
            self.stdout.write("No record.")

    def verify(self, *, file: str | None, json: bool, **_: Any) -> int:
        verdict = verify_database() if file is None else _verify_file(Path(file))
        if json:
            self.print_json(verdict)
        else:
            self._tell(verdict)
        if not verdict.intact:
            return REFUSED
        wanting = verdict.notes if file is None else not verdict.count
        return ATTENTION if wanting else FINE

    def export(self, *, from_seq: int, **_: Any) -> None:
        if from_seq < 1:
            raise Problem("bad_number", "The first record is number 1.")
        for line in export(from_seq=from_seq):
            self.stdout.write(line.decode("ascii"), ending="")

    def checkpoint(self, *, json: bool, **_: Any) -> None:
        signed = checkpoint()
        if json:
            self.print_json(signed)
            return
        self.stdout.write(f"Record {signed.seq} is the head: {signed.hash}")
        self.stdout.write(f"signed at {signed.at} by {signed.public_key}:\n{signed.signature}")
        self.stdout.write(f"To compare an export with it: docs/verify_audit.py EXPORT {signed.seq}:{signed.hash}")

    def rebuild(self, *, file: str | None, json: bool, **_: Any) -> None:
        found = from_segments() if file is None else from_export(Path(file))
        first = found.common.seq + 1 if found.count else None
        if json:
            self.print_json({"came_back": found.count, "first_seq": first, "last_seq": found.end.seq})
        elif found.count:
            self.stdout.write(f"Records {first} to {found.end.seq} came back. The head is {found.end.hash}")
        else:
            self.stdout.write(f"The database holds all records, up to {found.end.seq}.")
        if not json and is_open():
            self.stdout.write(WAITS)

    def _tell(self, verdict: Verdict) -> None:
        span = f"intact: records {verdict.first_seq} to {verdict.last_seq}, head {verdict.head_hash}"
        fine = f"The {verdict.what} is {span if verdict.count else 'intact and holds no record'}."
        for sentence in [
            *(fault.sentence for fault in verdict.faults),
            *([fine] if verdict.intact else []),
            *verdict.notes,
        ]:
            self.stdout.write(sentence)


def _verify_file(path: Path) -> Verdict:
    """Raises Problem for a file that cannot be read; "-" is what comes in."""
    if str(path) == "-":
        return beside_our_records(verify_export(lines_of(sys.stdin.buffer)))
    try:
        with path.open("rb") as file:
            return beside_our_records(verify_export(lines_of(file)))
    except OSError as error:
        raise Problem("unreadable", f"{path} cannot be read: {error.strerror}.") from error
