"""What a restored database forgot of its changes, read from the records that it lost. Changes nothing.

What came from outside is left out: it names keys and figures of its sender's choice, and proves nothing here.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from audits import outside
from audits.chain import NOTHING, Position
from audits.contracts import Record
from launchplane.changes.models import StandingApproval
from launchplane.changes.models.change import HOLDING, Status

ENDS = frozenset({Status.COMPLETED, Status.FAILED, Status.CLOSED})
STANDING_ENDS = {f"standing.{ended}": ended for ended in StandingApproval.Ended.values}


@dataclass(slots=True)
class Story:
    """What became of one change: whether it was begun, and the status, in words, that it had in the end."""

    host: str
    begun: bool = False
    status: str = ""
    seq: int = 0
    steps: tuple[dict[str, Any], ...] = ()

    @property
    def is_open(self) -> bool:
        """Begun, and its end is not on record: nobody knows what became of it."""
        return self.status in HOLDING


@dataclass(slots=True)
class Forgotten:
    """All that the lost records tell. `tokens` by host is the highest fencing token that was given out for it."""

    first: int = 0
    last: Position = NOTHING
    changes: dict[UUID, Story] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    # by scope, who froze it and why; None if it was lifted again
    freezes: dict[str, str | None] = field(default_factory=dict)
    # standing approvals by number: how they ended; and what was made after the backup, which is none of this database's
    standing: dict[int, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    api_tokens: set[int] = field(default_factory=set)
    edits: dict[str, int] = field(default_factory=dict)

    def edited(self) -> list[str]:
        """What people edited, such as `2 edit.protection`. Not by name: a name with “token” in it would be redacted."""
        return [f"{number} {kind}" for kind, number in sorted(self.edits.items())]


def read(records: Iterable[Record]) -> Forgotten:
    """Go through the lost records, in order. Memory grows with the changes and hosts in them, not with the records."""
    told = Forgotten()
    for record in records:
        told.first = told.first or record.seq
        told.last = Position(record.seq, record.hash)
        if record.kind in outside.KINDS:
            continue
        if record.kind in ("freeze.on", "freeze.off"):
            _of_freeze(told, record)
        elif record.kind.startswith("standing."):
            _of_standing(told, record)
        elif record.kind.startswith(("edit.", "access.")) and record.status == "completed":
            told.edits[record.kind] = told.edits.get(record.kind, 0) + 1
            if record.kind == "access.api_token":
                _of_api_token(told, record)
        else:
            _of_change(told, record)
    return told


def _of_change(told: Forgotten, record: Record) -> None:
    said = _said(record)
    if said.get("change") != record.key:  # about something else
        return
    story = told.changes.setdefault(UUID(record.key), Story(record.host))
    story.seq = record.seq
    story.status = str(said.get("to", story.status))
    if said.get("about") == "applying":
        story.begun = True
        token = said.get("fencing_token")
        if isinstance(token, int) and not isinstance(token, bool):
            told.tokens[record.host] = max(token, told.tokens.get(record.host, 0))
    if story.status in ENDS and isinstance(steps := said.get("steps"), list):
        story.steps = tuple(step for step in steps if isinstance(step, dict))


def _of_freeze(told: Forgotten, record: Record) -> None:
    why = f"{record.actor.name}: {_said(record).get('reason', '')}"
    told.freezes[record.key] = why if record.kind == "freeze.on" else None


def _of_standing(told: Forgotten, record: Record) -> None:
    """One that was asked for after the backup is none of this database's, whatever number it had."""
    number = record.key.removeprefix("standing-")
    if record.kind == "standing.requested":
        told.made.add(record.key)
    elif record.kind in STANDING_ENDS and number.isdecimal() and record.key not in told.made:
        told.standing[int(number)] = STANDING_ENDS[record.kind]


def _of_api_token(told: Forgotten, record: Record) -> None:
    number = record.key.removeprefix("token-")
    if str(_said(record).get("what", "")).startswith("made "):
        told.made.add(record.key)
    elif number.isdecimal() and record.key not in told.made:
        told.api_tokens.add(int(number))


def _said(record: Record) -> dict[str, Any]:
    said = json.loads(record.payload)
    return said if isinstance(said, dict) else {}
