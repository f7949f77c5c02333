"""What the pages of the audit show: records by their place in the chain, and one record held against its hashes.

Only cheap reads: what goes through the whole chain is `manage.py audits verify`.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode

from audits import chain
from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.access.rights import visible
from launchplane.hosts.models import Host

PER_PAGE = 50
FILTERS = ("host", "lane", "kind", "status", "key")
LARGEST_SEQ = 2**63 - 1
VIEW_HOST = "hosts.view_host"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records, and from where on: `before` or `after` a place in the chain, or the newest if neither is given."""

    filters: dict[str, str]
    before: int | None
    after: int | None

    @classmethod
    def of(cls, request: HttpRequest, **fixed: str) -> "Wanted":
        asked = request.GET
        typed = {name: asked.get(name, "").strip()[:200].replace("\0", "\N{REPLACEMENT CHARACTER}") for name in FILTERS}
        return cls(typed | fixed, _seq(asked.get("before", "")), _seq(asked.get("after", "")))

    def query(self, **place: int) -> str:
        """The query string of the same filters, from another place on."""
        said = [(name, value) for name, value in self.filters.items() if value]
        return f"?{urlencode([*said, *((name, str(seq)) for name, seq in place.items())])}"


@dataclass(frozen=True, slots=True)
class Records:
    """One page of records, the newest first, and the query strings of its neighbours."""

    rows: tuple[AuditRecord, ...]
    newer: str
    older: str
    newest: str


def readable_by(user: User) -> QuerySet[AuditRecord]:
    """The records that `user`, who holds the right to read the audit, may read: of no host, or of one that they see.

    Who sees every host reads about those too that are not there any more.
    """
    if user.has_perm(VIEW_HOST):
        return AuditRecord.objects.all()
    seen = visible(user, VIEW_HOST, Host.objects.all()).order_by().values("name")
    return AuditRecord.objects.filter(Q(host="") | Q(host__in=seen))


def records(wanted: Wanted, among: QuerySet[AuditRecord]) -> Records:
    """One page of `among`, by one query however long the chain is. Payloads are not read."""
    found = among.filter(**{name: value for name, value in wanted.filters.items() if value})
    found = found.defer("payload", "responsible")
    if wanted.after is not None:
        rows = list(found.filter(seq__gt=wanted.after).order_by("seq")[: PER_PAGE + 1])
        more_newer, more_older = len(rows) > PER_PAGE, True
        rows = rows[:PER_PAGE][::-1]
    else:
        before = LARGEST_SEQ if wanted.before is None else wanted.before
        rows = list(found.filter(seq__lt=before).order_by("-seq")[: PER_PAGE + 1])
        more_newer, more_older = wanted.before is not None, len(rows) > PER_PAGE
        rows = rows[:PER_PAGE]
    return Records(
        tuple(rows),
        newer=wanted.query(after=rows[0].seq) if rows and more_newer else "",
        older=wanted.query(before=rows[-1].seq) if rows and more_older else "",
        newest=wanted.query() if wanted.before is not None or wanted.after is not None else "",
    )


@dataclass(frozen=True, slots=True)
class RecordView:
    """One record, its neighbours, what was recorded in it, and what is wrong with it if anything is."""

    row: AuditRecord
    before: AuditRecord | None
    after: AuditRecord | None
    said: dict[str, Any]
    change_id: UUID | None
    faults: tuple[str, ...]


def record_view(row: AuditRecord) -> RecordView:
    """`row` held against its own hashes and against the records beside it."""
    beside = AuditRecord.objects.filter(seq__in=(row.seq - 1, row.seq + 1)).defer("payload")
    by_seq = {other.seq: other for other in beside}
    before, after = by_seq.get(row.seq - 1), by_seq.get(row.seq + 1)
    return RecordView(row, before, after, _said(row), _uuid(row.key), tuple(_faults(row, before, after)))


def _faults(row: AuditRecord, before: AuditRecord | None, after: AuditRecord | None) -> list[str]:
    found = []
    if chain.sha256(row.payload) != row.payload_hash:
        found.append("What it says is not what was recorded: the hash of its contents is another.")
    try:
        fits = chain.record_hash(row.as_record()) == row.hash
    except (ValueError, TypeError):
        fits = False
    if not fits:
        found.append("It was altered: its hash does not cover what it says.")
    if (before.hash if before else chain.GENESIS) != row.prev_hash:
        found.append("It does not follow the record before it.")
    if after is not None and after.prev_hash != row.hash:
        found.append("The record after it does not follow it.")
    return found


def _said(row: AuditRecord) -> dict[str, Any]:
    """The contents by name; what cannot be read is shown as it is stored, further down the page."""
    try:
        said = json.loads(row.payload)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {"contents": said}


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None


def _seq(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
