"""The one function that appends a record, and the one for what was refused.

`append` is the last statement of the transaction that it tells of: both are stored or neither. Appends wait for each
other on the head's row, so there is one chain whatever happens at once.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone

from audits import chain, head, segments
from audits.contracts import Actor, Status
from audits.errors import AuditRefused, Unwritable
from audits.models import AuditRecord
from audits.redact import LIVE
from launchplane.canonical import canonical

# in characters: of twelve bytes at worst as they are exported, where a line has an end (audits.verify_export)
LONGEST_PAYLOAD = 4 * 1024 * 1024

__all__ = ["Actor", "AuditRecord", "AuditRefused", "Status", "append", "append_apart"]


def append(  # noqa: PLR0913  a record has these fields
    *,
    kind: str,
    key: str,
    status: Status,
    payload: Mapping[str, Any],
    actor: Actor,
    source: str,
    host: str = "",
    lane: str = "",
) -> AuditRecord:
    """Store one record, redacted, at the end of the chain; it comes to the disk after the commit.

    Raises AuditRefused if it cannot be stored, and then the transaction around it cannot be committed either. For a
    `planned` record that includes a full or read-only evidence store: nothing may begin (H56).
    """
    if status == "planned":
        segments.refuse_without_room()
    said = _canonical(payload)
    who = {"actor_id": actor.id, "actor_name": actor.name, "responsible": actor.responsible}
    fields = LIVE.fields({"kind": kind, "key": key, "source": source, "host": host, "lane": lane} | who)
    record = AuditRecord(status=status, payload=said, payload_hash=chain.sha256(said), **_storable(fields))
    begun = _store(record)
    transaction.on_commit(partial(segments.keep, segments.Fresh(record.as_record(), begun)))
    return record


def append_apart(**fields: Any) -> AuditRecord:
    """`append` for what was refused: after the transaction that the refusal rolled back, in one of its own.

    Takes what `append` takes. Raises RuntimeError within a transaction, which would take the record with it.
    """
    with transaction.atomic(durable=True):
        return append(**fields)


def _store(record: AuditRecord) -> bool:
    try:
        with transaction.atomic(savepoint=False):
            return _link(record)
    except (DatabaseError, ValidationError, ValueError) as error:
        raise AuditRefused(f"The audit record could not be stored ({error}), so nothing was done.") from error


def _link(record: AuditRecord) -> bool:
    """Give `record` its place behind the head, which stays locked until the commit. Returns what `head.append` does."""
    last = head.locked()
    record.seq, record.prev_hash, record.at = last.seq + 1, last.hash, timezone.now()
    record.hash = chain.record_hash(record.as_record())
    record.clean_fields()
    return head.append(record, behind=last)


def _storable(fields: Mapping[str, str | list[str]]) -> dict[str, str | list[str]]:
    """`fields` without the one character that PostgreSQL cannot hold."""
    return {name: _clean(text) if isinstance(text, str) else [*map(_clean, text)] for name, text in fields.items()}


def _clean(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _canonical(payload: Mapping[str, Any]) -> str:
    try:
        said = canonical(LIVE.fields(payload)).decode()
    except (ValueError, RecursionError) as error:
        raise Unwritable(f"The audit record could not be written down ({error}), so nothing was done.") from error
    if len(said) > LONGEST_PAYLOAD:
        raise Unwritable(f"The audit record would be longer than {LONGEST_PAYLOAD} characters, so nothing was done.")
    return said
