"""The audit: every record that one may read, of all hosts or of one, and what it says. Looking changes nothing."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from audits import outside
from audits.models import AuditRecord
from audits.redact import REDACTED, WITHHELD
from audits.verify_part import verify_part
from launchplane.access.rights import visible
from launchplane.changes.kinds import all_kinds
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from launchplane.web.access import host_or_404, person
from launchplane.web.audit_page import Wanted, readable_by, record_view, records
from launchplane.web.chain_state import chain_state
from launchplane.web.senders import LOOKED_AT, senders
from launchplane.web.templatetags.audit import WHAT
from launchplane.web.views.frame import AUDIT_RIGHT, host_page

NO_RIGHT = "Reading the audit needs the right “Can view audit record”, which Auditors, Approvers and Operators have."
SHOWN_CHARACTERS = 200_000


@login_required
def audit(request: HttpRequest) -> HttpResponse:
    """The newest first, as they were filtered; and how the chain stands."""
    _require_right(request)
    return render(request, "audit/list.html", _listed(request, Wanted.of(request)) | {"chain": chain_state()})


@login_required
def host_audit(request: HttpRequest, name: str) -> HttpResponse:
    """What is on record about one host."""
    host = host_or_404(request, name)
    _require_right(request)
    listed = _listed(request, Wanted.of(request, host=host.name))
    return host_page(request, "host/audit.html", host, tab="host_audit", **listed)


@login_required
def audit_record(request: HttpRequest, pk: int) -> HttpResponse:
    """One record: what it says, in words and as it is hashed, and whether it is what it was.

    One about a host that one may not see is exactly like one that does not exist.
    """
    _require_right(request)
    row = readable_by(person(request)).filter(seq=pk).first()
    if row is None:
        raise Http404(f"no audit record {pk}")
    view = record_view(row)
    context = {
        "view": view,
        "row": row,
        "change": _change(request, view.change_id),
        "text": row.payload[:SHOWN_CHARACTERS],
        "is_cut": len(row.payload) > SHOWN_CHARACTERS,
        "is_outside": row.kind in (outside.HYGIENE, outside.LANE),
        "redacted": row.payload.count(REDACTED),
        "withheld": row.payload.count(WITHHELD),
    }
    return render(request, "audit/record.html", context)


@login_required
def audit_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """A piece of the chain from one record on, verified. It is short, whoever asks how often; nothing is changed."""
    _require_right(request)
    if not readable_by(person(request)).filter(seq=pk).exists():
        raise Http404(f"no audit record {pk}")
    try:
        part, unreadable = verify_part(pk), False
    except ValueError:
        part, unreadable = None, True
    return render(request, "audit/verify.html", {"part": part, "seq": pk, "unreadable": unreadable})


@login_required
def audit_senders(request: HttpRequest) -> HttpResponse:
    """Who has handed in evidence lately."""
    _require_right(request)
    return render(
        request, "audit/senders.html", {"senders": senders(readable_by(person(request))), "looked": LOOKED_AT}
    )


def _require_right(request: HttpRequest) -> None:
    if not request.user.has_perm(AUDIT_RIGHT):
        raise PermissionDenied(NO_RIGHT)


def _listed(request: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    return {
        "wanted": wanted.filters,
        "page": records(wanted, readable_by(person(request))),
        "kinds": sorted({*WHAT, *all_kinds()}),
        "statuses": AuditRecord.Status.values,
        "narrows": any(wanted.filters.values()),
    }


def _change(request: HttpRequest, key: UUID | None) -> Change | None:
    """The change that a record is about, if this person may see its host."""
    if key is None:
        return None
    hosts = visible(person(request), "hosts.view_host", Host.objects.all()).order_by().values("pk")
    return Change.objects.filter(pk=key, host__in=hosts).only("pk", "kind").first()
