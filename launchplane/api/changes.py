"""`/v1/changes…`: changes as `changes show` tells them, and dry-run plans made by a worker (H26)."""

from http import HTTPStatus
from typing import Final, Literal
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field, ValidationError

from launchplane.access.actions import Action
from launchplane.access.callers import Caller, caller_of
from launchplane.api import bodies, idempotency, planning, rate
from launchplane.api.errors import ERRORS, STATUSES
from launchplane.api.evidence_in_shown import CREATED
from launchplane.api.refusing import NotTaken, invalid
from launchplane.changes import plan_runs
from launchplane.changes.document import ChangeDocument, ChangeSummary, LaneChangeDocument, document, summary
from launchplane.changes.models import Change, PlanRun
from launchplane.changes.models.change import Status
from launchplane.hosts.models import Host
from launchplane.problems import Problem

ROUTE: Final = "/changes"
NAME: Final = "^([a-z0-9][a-z0-9._-]{0,63})?$"
HEAVY: Final = ("plan", "before", "after", "gates")
UUIDS: Final = "^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"


class ChangeList(BaseModel):
    """A page of changes, the newest plan first. `next_before` goes on from here; null if there is nothing more."""

    changes: list[ChangeSummary]
    next_before: UUID | None


class ChangeQuery(BaseModel):
    """Keyset pagination by the time of the plan, and filters, each an exact value."""

    host: str = Field("", pattern=NAME)
    kind: str = Field("", pattern="^[a-z.-]{0,60}$")
    status: Literal["", *Status.values] = ""  # type: ignore[valid-type]  # they are texts
    subject: str = Field("", pattern=NAME, description="A lane's name, for changes of lanes.")
    before: str = Field("", pattern=UUIDS, description="Only changes after this one in the list (`next_before`).")
    limit: int = Field(50, ge=1, le=100)


class Planning(BaseModel):
    """Not planned yet: a worker looks at the host. The same call again, with the same key, tells how it went."""

    status: Literal["planning"] = "planning"
    kind: str
    host: str
    retry_after_seconds: int


router = Router()


@router.get("/changes", response={200: ChangeList, **ERRORS}, summary="The changes of hosts that you may see")
def changes(request: HttpRequest, query: Query[ChangeQuery]) -> ChangeList:
    found = _visible(request)
    asked = {"host__name": query.host, "kind": query.kind, "status": query.status, "subject": query.subject}
    found = _after(found, query.before).filter(**{name: text for name, text in asked.items() if text})
    page = list(found.select_related("host").defer(*HEAVY).order_by("-planned_at", "-id")[: query.limit + 1])
    shown = page[: query.limit]
    return ChangeList(
        changes=[summary(change) for change in shown], next_before=shown[-1].pk if len(page) > len(shown) else None
    )


@router.get(
    "/changes/{uuid:id}",
    response={200: LaneChangeDocument | ChangeDocument, **ERRORS},
    summary="One change as a whole",
)
def change(request: HttpRequest, id: UUID) -> HttpResponse:
    found = _visible(request).filter(pk=id).select_related("host", "standing").first()
    if found is None:
        raise Problem("no_such_change", "There is no such change, or you may not see it.")
    return _json(document(found))


@router.post(
    ROUTE,
    response=CREATED | {201: LaneChangeDocument | ChangeDocument, 202: Planning},
    summary="Have a dry-run planned",
    openapi_extra=planning.DESCRIBED,
)
def plan(request: HttpRequest) -> HttpResponse:
    """A worker looks at the host and plans; nothing there is changed, and nobody is asked for anything.

    201 has the change, planned or blocked. 202 says that it takes longer: repeat the call with the same key. Until the
    plan is made that is 409, then what came of it.
    """
    caller = caller_of(request)
    caller.require(Action.CHANGE_REQUEST)
    rate.count(caller, ROUTE)
    scope = idempotency.scope_of(caller, ROUTE, idempotency.key_of(request))
    wish = _wish(bodies.body_of(request))
    again = plan_runs.of_program(scope) is not None
    run = planning.queue(wish, caller=caller, scope=scope)
    if again and run.is_open:
        sentence = "This is being planned right now. Repeat the call with the same Idempotency-Key."
        raise NotTaken(HTTPStatus.CONFLICT, "in_flight", sentence, wait_seconds=planning.RETRY_SECONDS)
    answer = _answer(planning.wait_for(run))
    if again:
        answer.headers[idempotency.REPLAYED] = "true"
    return answer


def _visible(request: HttpRequest) -> QuerySet[Change]:
    caller: Caller = caller_of(request)
    caller.require(Action.CHANGE_READ)
    return Change.objects.filter(host__in=caller.hosts(Action.CHANGE_READ, Host.objects.all()).order_by())


def _after(found: QuerySet[Change], before: str) -> QuerySet[Change]:
    if not before:
        return found
    last = found.filter(pk=before).values_list("planned_at", flat=True).first()
    if last is None:
        raise NotTaken(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "before: there is no such change to go on from")
    return found.filter(Q(planned_at__lt=last) | Q(planned_at=last, id__lt=before))


def _wish(raw: bytes) -> planning.PlanRoutine | planning.PlanRetirement | planning.PlanLane:
    try:
        return planning.WISH.validate_json(raw, strict=True)
    except ValidationError as error:
        raise invalid(error) from error


def _answer(run: PlanRun) -> HttpResponse:
    """What came of it so far."""
    if run.is_open:
        waits = Planning(kind=run.kind, host=run.host.name, retry_after_seconds=planning.RETRY_SECONDS)
        answer = _json(waits, HTTPStatus.ACCEPTED)
        answer.headers["Retry-After"] = str(planning.RETRY_SECONDS)
        return answer
    if run.change is None:
        status = STATUSES.get(run.code, HTTPStatus.SERVICE_UNAVAILABLE)
        again = "To have it planned once more, use a new Idempotency-Key."
        raise NotTaken(status, run.code, f"{run.sentence} {again}")
    answer = _json(document(run.change), HTTPStatus.CREATED)
    answer.headers["Location"] = f"/v1/changes/{run.change_id}"
    return answer


def _json(contract: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    return HttpResponse(contract.model_dump_json(), status=status, content_type="application/json; charset=utf-8")
