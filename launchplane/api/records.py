"""Audit records as programs read them: a summary, what was said, and the record itself, to be verified."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db.models.functions import Length
from pydantic import BaseModel, Field, JsonValue

from audits.contracts import Record, Status
from audits.models import AuditRecord, moment
from audits.record import LONGEST_PAYLOAD
from launchplane.api.evidence_in_shown import Receipt

# in characters: one record always fits, and a page is never much larger than the largest of them
MOST_PAYLOAD: Final = LONGEST_PAYLOAD


class AuditSummary(BaseModel):
    """One record in short (H52). What the record does not say is null, and never 0."""

    key: str = Field(description="What belongs together: a change's id, or the sender's own key.")
    kind: str
    host: str
    lane: str
    action: str
    mode: str | None = Field(description="`dry_run` or `apply`.")
    status: Status
    about: str | None = Field(description="What happened to the change, such as `applying`; null for outside evidence.")
    reason: str = Field(description="Why it failed, was put off or skipped.")
    source: str = Field(description="The door it came through: `api`, `web`, `command`, `schedule`, `worker`.")
    sender: str = Field(description="Whoever it was, by the name of then.")
    recorded_at: str = Field(description="By the clock of this installation, in UTC.")
    occurred_at: str | None = Field(description="By the sender's clock; null for what was recorded here.")
    predicted_bytes: int | None
    actual_bytes: int | None
    failures: int | None
    receipt: Receipt


class AuditEntry(AuditSummary):
    """One record in full. `record` is what is hashed and exported, its payload the text that is stored."""

    payload: JsonValue = Field(description="What was said, read from the text; null if it cannot be read.")
    record: Record


def summary(row: AuditRecord, said: Any) -> AuditSummary:
    """`row` in short; `said` is what its payload holds."""
    told = said if isinstance(said, dict) else {}
    return AuditSummary(
        key=row.key,
        kind=row.kind,
        host=row.host,
        lane=row.lane,
        action=_text(told.get("action")) or row.kind.partition(".")[2],
        mode=_text(told.get("mode")),
        status=row.as_record().status,
        about=_text(told.get("about")),
        reason=_text(told.get("reason")) or _text(told.get("why")) or "",
        source=row.source,
        sender=row.actor_name,
        recorded_at=moment(row.at),
        occurred_at=_text(told.get("occurred_at")),
        predicted_bytes=_number(told.get("predicted_bytes")),
        actual_bytes=_number(told.get("actual_bytes")),
        failures=len(failures) if isinstance(failures := told.get("failures"), list) else None,
        receipt=Receipt(seq=row.seq, hash=row.hash),
    )


def in_short(row: AuditRecord) -> dict[str, Any]:
    """The JSON of `row` as an AuditSummary."""
    return summary(row, _said(row)).model_dump(mode="json")


def in_full(row: AuditRecord) -> dict[str, Any]:
    """The JSON of `row` as an AuditEntry. As deep as the payload is, so no model writes it."""
    said = _said(row)
    record = row.as_record().model_dump(mode="json")
    return summary(row, said).model_dump(mode="json") | {"payload": said, "record": record}


def rows_at(seqs: Iterable[int]) -> Iterator[AuditRecord]:
    """The records at these places, in this order, as far as their payloads together are not too much for one answer.

    The first one always is among them, so whoever goes on from the last one comes to the end.
    """
    wanted = list(seqs)
    sizes = dict(AuditRecord.objects.filter(seq__in=wanted).values_list("seq", Length("payload")))
    room, fitting = MOST_PAYLOAD, list[int]()
    for seq in wanted:
        room -= sizes[seq]
        if fitting and room < 0:
            break
        fitting.append(seq)
    rows = AuditRecord.objects.in_bulk(fitting)
    return (rows[seq] for seq in fitting)


def _said(row: AuditRecord) -> Any:
    try:
        return json.loads(row.payload)
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
