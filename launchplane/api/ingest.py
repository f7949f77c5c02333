"""Taking in a record of evidence from outside: once, in the order of its run, from one sender, redacted.

One transaction stores the record and that it was taken in: there are both or neither, after any crash.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from audits import record, segments
from audits.errors import AuditRefused
from audits.models import AuditRecord
from audits.redact import LIVE
from audits.sent import Sent
from launchplane.access.people import Principal
from launchplane.api.models import TakenIn
from launchplane.api.refusing import NotTaken

KEPT: Final = timedelta(days=31)
_TAKEN: Final = TakenIn._meta.db_table
_COLUMNS: Final = ("scope", "fingerprint", "kind", "key", "place", "at")
_ROW: Final = f"INSERT INTO {_TAKEN} ({', '.join(_COLUMNS)}) SELECT %s, %s, %s, %s, %s, %s"
_ONCE: Final = " ON CONFLICT DO NOTHING"
# two of one run at once: the second is told so, and does not wait for the first
_ALONE: Final = " WHERE pg_try_advisory_xact_lock(%s)"
_EARLIER: Final = (
    f"SELECT kind, actor_id, status, host, lane, payload FROM {AuditRecord._meta.db_table} "  # noqa: S608
    "WHERE key = %s ORDER BY seq"
)
_STATUSES: Final = {
    TakenIn.Place.PLANNED: ("planned",),
    TakenIn.Place.ENDED: ("completed", "failed", "skipped"),
}


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What somebody handed in, where it belongs, and under which key; `scope` is `idempotency.scope_of`."""

    sent: Sent
    kind: str
    host: str
    lane: str
    by: Principal
    scope: str

    @property
    def place(self) -> TakenIn.Place:
        return TakenIn.Place.PLANNED if self.sent.status == "planned" else TakenIn.Place.ENDED


@dataclass(frozen=True, slots=True)
class Taken:
    """The record of it, and whether it was there before."""

    row: AuditRecord
    again: bool


def take(handed: HandedIn) -> Taken:
    """Store it, or find what was stored under the same key before.

    Raises NotTaken: 409 in flight or out of order, 422 if something else was sent under that key, 503 if evidence
    cannot be kept. Nothing is stored then.
    """
    _refuse_secret_key(handed.sent.key)
    fingerprint = _fingerprint(handed.sent)
    try:
        if handed.place != TakenIn.Place.PLANNED:  # for a planned one the audit does that
            segments.refuse_without_room()
        with transaction.atomic():
            if _begin(handed, fingerprint):
                _refuse_out_of_order(handed)
                return Taken(_append(handed), again=False)
    except AuditRefused as refused:
        raise NotTaken(HTTPStatus.SERVICE_UNAVAILABLE, refused.code, refused.sentence, wait_seconds=30) from refused
    return Taken(_before(handed, fingerprint), again=True)


def sweep() -> int:
    """Forget the keys that no longer count: after that, the order of the records themselves keeps a run single."""
    return TakenIn.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]


def _refuse_secret_key(key: str) -> None:
    """A redacted key would be everybody's key."""
    if LIVE.text(key) != key:
        sentence = "The key looks like a secret, and nothing of it is stored. Name the run in another way."
        raise NotTaken(HTTPStatus.UNPROCESSABLE_ENTITY, "key_is_secret", sentence)


def _fingerprint(sent: Sent) -> str:
    """Keyed: what was sent may hold a secret that is short enough to be guessed."""
    return salted_hmac("launchplane.api.ingest", sent.model_dump_json(), algorithm="sha256").hexdigest()


def _begin(handed: HandedIn, fingerprint: str) -> bool:
    """True for the one request that may store this now: no other has, and no other of this run is at it."""
    row: list[str | datetime] = [
        handed.scope,
        fingerprint,
        handed.kind,
        handed.sent.key,
        str(handed.place),
        timezone.now(),
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_ROW + _ALONE + _ONCE, [*row, number_of(handed.kind, handed.sent.key)])
        else:
            # SQLite's write transactions exclude each other; the parser needs a WHERE before this ON
            cursor.execute(f"{_ROW} WHERE true{_ONCE}", row)
        return int(cursor.rowcount) == 1


def _append(handed: HandedIn) -> AuditRecord:
    return record.append(
        kind=handed.kind,
        key=handed.sent.key,
        status=handed.sent.status,
        payload=handed.sent.model_dump(mode="json"),
        actor=handed.by.actor(),
        source="api",
        host=handed.host,
        lane=handed.lane,
    )


def number_of(kind: str, key: str) -> int:
    """What PostgreSQL locks a run by. Two runs of one number only make one of them try again."""
    return int.from_bytes(sha256(f"{kind} {key}".encode()).digest()[:8], signed=True)


def _refuse_out_of_order(handed: HandedIn) -> None:
    """Raises NotTaken (409) unless it continues what is on record of its run, from the same sender."""
    earlier = _earlier(handed)
    if any(record.actor_id != handed.by.id for record in earlier):
        raise _conflict("key_taken", "Somebody else has used this key. Name the run in another way.")
    if any(record.run != _run(handed) for record in earlier):
        raise _conflict("run_differs", "Under this key there is another host, lane, action or mode on record.")
    if any(record.status != "planned" for record in earlier):
        raise _conflict("already_ended", "How this run ended is on record already. A new run needs a new key.")
    if earlier and handed.place == TakenIn.Place.PLANNED:
        raise _conflict("already_planned", "This run is on record as planned already. A new one needs a new key.")
    if earlier and handed.sent.mode == "dry_run":
        raise _conflict("dry_run_over", "A dry run ends with its plan, which is on record. A new one needs a new key.")
    if handed.sent.status == "completed" and not earlier:
        raise _conflict("not_planned", "Hand in the planned record of this run before it, under the same key.")


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What is on record of a run; `run` is what all records of one have in common."""

    actor_id: str
    status: str
    run: tuple[str, ...]


def _run(handed: HandedIn) -> tuple[str, ...]:
    return (handed.host, handed.lane, handed.sent.action, handed.sent.mode)


def _earlier(handed: HandedIn) -> list[_Earlier]:
    """By its key alone: of one kind there are very many, and the database may choose to go through them."""
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, [handed.sent.key])
        rows = [row for row in cursor.fetchall() if row[0] == handed.kind]
    said = ((row, json.loads(row[5])) for row in rows)
    return [_Earlier(row[1], row[2], (row[3], row[4], str(told["action"]), str(told["mode"]))) for row, told in said]


def _before(handed: HandedIn, fingerprint: str) -> AuditRecord:
    """What was stored under the same Idempotency-Key. Raises NotTaken (409, 422) if nothing was, or something else."""
    same_place = Q(kind=handed.kind, key=handed.sent.key, place=handed.place)
    # by one statement: between two of them the one in flight may have arrived
    rows = list(TakenIn.objects.filter(Q(scope=handed.scope) | same_place))
    known = next((row for row in rows if row.scope == handed.scope), None)
    if known is None and rows:
        _refuse_out_of_order(handed)
    if known is None:
        sentence = "A record of this run is being stored right now. Try again with the same Idempotency-Key."
        raise NotTaken(HTTPStatus.CONFLICT, "in_flight", sentence, wait_seconds=1)
    if known.fingerprint != fingerprint:
        sentence = "Something else was handed in with this Idempotency-Key. Use a new one for each thing."
        raise NotTaken(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused", sentence)
    of_run = AuditRecord.objects.filter(key=known.key, kind=known.kind)
    return of_run.get(status__in=_STATUSES[TakenIn.Place(known.place)])


def _conflict(code: str, sentence: str) -> NotTaken:
    return NotTaken(HTTPStatus.CONFLICT, code, sentence)
