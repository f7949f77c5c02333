"""`GET /v1/evidence/…/audits`: evidence as lists, one audit by its key, and the history of a host or a lane (H53).

Each record comes with its text and hashes, so nobody has to believe this interface. It tells only of hosts that the
caller may read evidence of; what is of another is like what is not there.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query
from pydantic import BaseModel, Field

from audits import outside
from audits.models import AuditRecord
from audits.pages import LARGEST_SEQ, Page, Wanted, page
from lanes.models import Lane
from launchplane.access.actions import Action
from launchplane.access.callers import Caller, caller_of
from launchplane.api.errors import ERRORS
from launchplane.api.evidence import router
from launchplane.api.records import AuditEntry, AuditSummary, in_full, in_short, rows_at
from launchplane.changes.kinds import all_kinds
from launchplane.hosts.models import Host
from launchplane.problems import Problem

NAME: Final = "^([a-z0-9][a-z0-9._-]{0,63})?$"
KEY: Final = "^([A-Za-z0-9][A-Za-z0-9._:-]{0,199})?$"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which records are one domain's, and which action reads them."""

    prefix: str
    others: tuple[str, ...]
    action: Action

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of change, and what else is on record of the domain."""
        return (*(name for name in sorted(all_kinds()) if name.startswith(self.prefix)), *self.others)


HYGIENE: Final = Evidence("hygiene.", (outside.HYGIENE, "hygiene.regret"), Action.HYGIENE_AUDIT_READ)
LANES: Final = Evidence("lane.", (outside.LANE,), Action.LANE_AUDIT_READ)


class AuditList(BaseModel):
    """A page of records, the newest first. `next_before` goes on from here; null if there is nothing more.

    A page may be short, or empty, and not be the last: it looks at so many records and no more.
    """

    audits: list[AuditEntry]
    next_before: int | None


class AuditOfKey(BaseModel):
    """All records of one audit, from its last state back to its plan. `latest` is the last one in short."""

    key: str
    latest: AuditSummary
    records: list[AuditEntry]
    next_before: int | None


class History(BaseModel):
    """What became of each audit of a host or a lane, in short: its last record, the newest first."""

    history: list[AuditSummary]
    next_before: int | None


class PageQuery(BaseModel):
    """Keyset pagination by the place in the chain. `after` is for whoever comes back: what is new since then."""

    before: int = Field(LARGEST_SEQ, ge=1, le=LARGEST_SEQ, description="Only records before this one (`next_before`).")
    after: int = Field(0, ge=0, le=LARGEST_SEQ, description="Only records after this one.")
    limit: int = Field(50, ge=1, le=100)

    def of(self, kinds: tuple[str, ...], hosts: tuple[str, ...] | None, **fields: str) -> Wanted:
        """What is wanted, of what the caller may see."""
        asked = {name: text for name, text in fields.items() if text}
        return Wanted(kinds, hosts, asked, before=self.before, after=self.after, limit=self.limit)


class AuditQuery(PageQuery):
    """Filters, each an exact value; what is left out filters nothing."""

    host: str = Field("", pattern=NAME)
    lane: str = Field("", pattern=NAME)
    kind: str = Field("", pattern="^[a-z.-]{0,60}$", description="Such as `hygiene.evidence`, or a kind of change.")
    status: Literal["", "planned", "completed", "failed", "skipped"] = ""
    key: str = Field("", pattern=KEY)
    source: str = Field("", pattern="^[a-z]{0,20}$", description="`api` for what came from outside.")


class HostHistoryQuery(PageQuery):
    """Of which host."""

    host: str = Field(pattern=NAME.replace("?$", "$"))


class LaneHistoryQuery(PageQuery):
    """Of which lane."""

    lane: str = Field(pattern=NAME.replace("?$", "$"))


@router.get(
    "/evidence/runner-host-hygiene/audits",
    response={200: AuditList, **ERRORS},
    summary="Evidence of clean-ups, the newest first",
)
def hygiene_audits(request: HttpRequest, query: Query[AuditQuery]) -> HttpResponse:
    return _list(request, HYGIENE, query)


@router.get(
    "/evidence/runner-host-hygiene/audits/{key}",
    response={200: AuditOfKey, **ERRORS},
    summary="One audit of a clean-up: all of its records",
)
def hygiene_audit(request: HttpRequest, key: Path[str], query: Query[PageQuery]) -> HttpResponse:
    return _one(request, HYGIENE, key, query)


@router.get(
    "/evidence/runner-host-hygiene/history",
    response={200: History, **ERRORS},
    summary="What became of each clean-up of a host",
)
def hygiene_history(request: HttpRequest, query: Query[HostHistoryQuery]) -> HttpResponse:
    caller, hosts = _reader(request, HYGIENE)
    shown = page(replace(query.of(HYGIENE.kinds, hosts, host=query.host), latest=True))
    seen = caller.hosts(HYGIENE.action, Host.objects.filter(name=query.host))
    if not shown.seqs and not seen.exists():
        raise Problem("no_such_host", "There is no such host, or you may not see it.")
    return _answer(shown, in_short, lambda rows: {"history": rows})


@router.get(
    "/evidence/runner-lane-maintainer/audits",
    response={200: AuditList, **ERRORS},
    summary="Evidence of the maintenance of lanes, the newest first",
)
def lane_audits(request: HttpRequest, query: Query[AuditQuery]) -> HttpResponse:
    return _list(request, LANES, query)


@router.get(
    "/evidence/runner-lane-maintainer/audits/{key}",
    response={200: AuditOfKey, **ERRORS},
    summary="One audit of a lane's maintenance: all of its records",
)
def lane_audit(request: HttpRequest, key: Path[str], query: Query[PageQuery]) -> HttpResponse:
    return _one(request, LANES, key, query)


@router.get(
    "/evidence/runner-lane-maintainer/history",
    response={200: History, **ERRORS},
    summary="What became of each change of a lane",
)
def lane_history(request: HttpRequest, query: Query[LaneHistoryQuery]) -> HttpResponse:
    caller, hosts = _reader(request, LANES)
    shown = page(replace(query.of(LANES.kinds, hosts, lane=query.lane), latest=True))
    seen = caller.hosts(LANES.action, Host.objects.all()).order_by()
    if not shown.seqs and not Lane.objects.called(query.lane).filter(host__in=seen).exists():
        raise Problem("no_such_lane", "There is no such lane, or you may not see it.")
    return _answer(shown, in_short, lambda rows: {"history": rows})


def _reader(request: HttpRequest, evidence: Evidence) -> tuple[Caller, tuple[str, ...] | None]:
    """Who reads, and of which hosts; None for all, of those too that are gone. Raises Refused `not_granted`."""
    caller = caller_of(request)
    caller.require(evidence.action)
    if caller.does_to_every_host(evidence.action):
        return caller, None
    seen = caller.hosts(evidence.action, Host.objects.all()).order_by("name")
    return caller, tuple(seen.values_list("name", flat=True))


def _list(request: HttpRequest, evidence: Evidence, query: AuditQuery) -> HttpResponse:
    _, hosts = _reader(request, evidence)
    fields = query.model_dump(include={"host", "lane", "kind", "status", "key", "source"})
    return _answer(page(query.of(evidence.kinds, hosts, **fields)), in_full, lambda rows: {"audits": rows})


def _one(request: HttpRequest, evidence: Evidence, key: str, query: PageQuery) -> HttpResponse:
    _, hosts = _reader(request, evidence)
    # a NUL, which PostgreSQL refuses in a text, is in no key
    shown = page(query.of(evidence.kinds, hosts, key=key)) if "\0" not in key else Page((), None)
    if not shown.seqs:
        raise Problem("no_such_audit", "There is no audit of that key, or you may not see it.")
    latest = page(Wanted(evidence.kinds, hosts, {"key": key}, limit=1))
    short = in_short(AuditRecord.objects.get(seq=latest.seqs[0]))
    return _answer(shown, in_full, lambda rows: {"key": key, "latest": short, "records": rows})


def _answer(
    shown: Page, told: Callable[[AuditRecord], dict[str, Any]], around: Callable[[list[dict[str, Any]]], dict[str, Any]]
) -> HttpResponse:
    """The records of a page, as many as are not too much for one answer, and where to go on."""
    rows = [(row.seq, told(row)) for row in rows_at(shown.seqs)]
    cut = len(rows) < len(shown.seqs)
    answer = around([row for _, row in rows]) | {"next_before": rows[-1][0] if cut else shown.next_before}
    return HttpResponse(json.dumps(answer), content_type="application/json; charset=utf-8")
