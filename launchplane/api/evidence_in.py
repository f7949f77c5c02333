"""`POST /v1/evidence/…/audits`: evidence from outside, kept as what its sender says and proof of nothing (H51, M40)."""

from http import HTTPStatus
from typing import Final, TypeVar

from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, ValidationError

from audits import outside
from audits.sent import Sent
from hygiene.contracts.sent import SentHygiene
from lanes.models import Lane
from lanes.sent import SentLane
from launchplane.access.actions import Action
from launchplane.access.callers import Caller, caller_of
from launchplane.api import bodies, examples, idempotency, ingest, rate
from launchplane.api.evidence import router
from launchplane.api.evidence_in_shown import (
    CREATED,
    HygieneReceipt,
    LaneReceipt,
    described,
    hygiene_receipt,
    lane_receipt,
)
from launchplane.api.refusing import invalid
from launchplane.hosts.services import hosts_called
from launchplane.problems import Problem

HYGIENE_ROUTE: Final = "/evidence/runner-host-hygiene/audits"
LANE_ROUTE: Final = "/evidence/runner-lane-maintainer/audits"

S = TypeVar("S", bound=Sent)


@router.post(
    HYGIENE_ROUTE,
    response=CREATED | {201: HygieneReceipt},
    summary="Hand in one record of a host's clean-up",
    openapi_extra=described(SentHygiene, examples.HYGIENE),
)
def hygiene_sent(request: HttpRequest) -> HttpResponse:
    """Stored as what its sender says, with the kind `hygiene.evidence`. Nothing here rests on it."""
    caller, key, sent = _read(request, Action.HYGIENE_AUDIT_WRITE, HYGIENE_ROUTE, SentHygiene)
    host = _host(caller, Action.HYGIENE_AUDIT_WRITE, sent.host)
    taken = ingest.take(_handed(sent, outside.HYGIENE, host, "", caller, scope=key))
    return _created(hygiene_receipt(taken.row), again=taken.again)


@router.post(
    LANE_ROUTE,
    response=CREATED | {201: LaneReceipt},
    summary="Hand in one record of a lane's maintenance",
    openapi_extra=described(SentLane, examples.LANE),
)
def lane_sent(request: HttpRequest) -> HttpResponse:
    """Stored as what its sender says, with the kind `lane.evidence`. It makes no lane ready."""
    caller, key, sent = _read(request, Action.LANE_AUDIT_WRITE, LANE_ROUTE, SentLane)
    found = _lane(caller, Action.LANE_AUDIT_WRITE, sent)
    taken = ingest.take(_handed(sent, outside.LANE, found.host.name, found.name, caller, scope=key))
    return _created(lane_receipt(taken.row), again=taken.again)


def _read(request: HttpRequest, action: Action, route: str, contract: type[S]) -> tuple[Caller, str, S]:
    """Who sends what under which key: each thing is looked at before the next one costs anything."""
    caller = caller_of(request)
    caller.require(action)
    rate.count(caller, route)
    key = idempotency.key_of(request)
    raw = bodies.body_of(request)
    try:
        return caller, idempotency.scope_of(caller, route, key), contract.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise invalid(error) from error


def _host(caller: Caller, action: Action, name: str) -> str:
    """The host's name, if it is there and this caller may send evidence of it: both end in the same answer."""
    for found in caller.hosts(action, hosts_called(name)).order_by().values_list("name", flat=True):
        return str(found)
    raise Problem("no_such_host", "There is no such host, or you may not see it.")


def _lane(caller: Caller, action: Action, sent: SentLane) -> Lane:
    """The lane on that host, likewise."""
    hosts = caller.hosts(action, hosts_called(sent.host))
    found = Lane.objects.called(sent.lane).filter(host__in=hosts.order_by()).select_related("host").first()
    if found is None:
        raise Problem("no_such_lane", "There is no such lane, or you may not see it.")
    return found


def _handed(sent: Sent, kind: str, host: str, lane: str, caller: Caller, *, scope: str) -> ingest.HandedIn:
    return ingest.HandedIn(sent=sent, kind=kind, host=host, lane=lane, by=caller.principal, scope=scope)


def _created(receipt: BaseModel, *, again: bool) -> HttpResponse:
    """201, also for what was there before: the same answer, which says in a header that it is given again."""
    response = HttpResponse(receipt.model_dump_json(), status=HTTPStatus.CREATED, content_type="application/json")
    response.headers["Location"] = str(getattr(receipt, "url", ""))
    if again:
        response.headers[idempotency.REPLAYED] = "true"
    return response
