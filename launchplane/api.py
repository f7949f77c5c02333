"""The HTTP interface under `/v1`. So far it only reads, for a person who is logged in."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Query
from ninja.errors import AuthenticationError, ValidationError
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder
from ninja.security import SessionAuth
from pydantic import BaseModel, Field
from pydantic_core import to_jsonable_python

from hygiene.contracts import Class, InventoryView, Kind, Report
from hygiene.inventory import latest, select, view_for_programs
from hygiene.models import Snapshot
from hygiene.snapshots import stored_report
from lanes.api import router as lanes_router
from launchplane.access.rights import visible
from launchplane.hosts.models import Host
from launchplane.hosts.services import hosts_called
from launchplane.problem_documents import ProblemDocument, problem_response
from launchplane.problems import Problem


class Encoder(NinjaJSONEncoder):
    """Times as the contracts write them everywhere else; Django's own encoder cuts them to milliseconds."""

    def default(self, o: object) -> Any:
        return to_jsonable_python(o) if isinstance(o, datetime) else super().default(o)


class Renderer(JSONRenderer):
    """The contracts' JSON."""

    encoder_class = Encoder


class ReadingSession(SessionAuth):
    """A browser session may read. It changes nothing here, so no cross-site request can."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        user = super().authenticate(request, key)
        return user if user and request.method in ("GET", "HEAD") else None


class HostSummary(BaseModel):
    """A host in a list."""

    name: str
    connection: str
    engine_id: str
    docker_root: str
    approved: bool
    sandbox: bool


class HostList(BaseModel):
    """A page of hosts by name; `next_after` is the cursor of the next page, null on the last."""

    hosts: list[HostSummary]
    next_after: str | None


class HostQuery(BaseModel):
    """Keyset pagination by name."""

    after: str = Field("", max_length=64, pattern=r"^[a-z0-9._-]*$")
    limit: int = Field(100, ge=1, le=100)


class InventoryQuery(BaseModel):
    """What to list of an inventory."""

    kind: Kind | None = None
    cls: Class | None = Field(None, alias="class")
    text: str = Field("", max_length=200)
    sort: str = Field("-size", pattern="^-?(size|age|last_used)$|^name$")
    limit: int = Field(1000, ge=1, le=10_000)


ERRORS: dict[int, type[BaseModel]] = dict.fromkeys((401, 404, 422), ProblemDocument)

api = NinjaAPI(
    title="Launchplane", version="1", urls_namespace="v1", docs_url=None, auth=ReadingSession(), renderer=Renderer()
)
api.add_router("", lanes_router)


@api.get("/hosts", response={200: HostList, **ERRORS}, summary="The hosts that you may see")
def hosts(request: HttpRequest, query: Query[HostQuery]) -> HostList:
    found = visible(request.user, "hosts.view_host", Host.objects.filter(name__gt=query.after)).order_by("name")
    page = list(found[: query.limit + 1])
    shown = page[: query.limit]
    return HostList(
        hosts=[_summary(host) for host in shown], next_after=shown[-1].name if len(page) > len(shown) else None
    )


@api.get("/hosts/{name}", response={200: HostSummary, **ERRORS}, summary="One host")
def host(request: HttpRequest, name: str) -> HostSummary:
    return _summary(_host(request, name))


@api.get(
    "/hosts/{name}/report",
    response={200: Report, **ERRORS},
    by_alias=True,
    summary="The report of the last observation",
)
def report(request: HttpRequest, name: str) -> Report:
    snapshot: Snapshot | None = _host(request, name).snapshots.first()
    if snapshot is None:
        raise never_observed(name)
    return stored_report(snapshot)


@api.get(
    "/hosts/{name}/inventory",
    response={200: InventoryView, **ERRORS},
    by_alias=True,
    summary="What the last observation saw, each with its class and why",
)
def inventory(request: HttpRequest, name: str, query: Query[InventoryQuery]) -> InventoryView:
    view = latest(_host(request, name))
    if view is None:
        raise never_observed(name)
    rows = select(view.rows, kind=query.kind or "", cls=query.cls or "", text=query.text, sort=query.sort)
    return view_for_programs(view, rows, limit=query.limit)


@api.exception_handler(AuthenticationError)
def not_authenticated(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return problem_response(401)


@api.exception_handler(Problem)
def not_found(_request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem_response(404, code=problem.code, detail=problem.sentence)


@api.exception_handler(ValidationError)
def invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0] if error.errors else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return problem_response(422, detail=f"{where}: {first.get('msg', 'not valid')}")


def never_observed(name: str) -> Problem:
    """Nothing is stored of this host."""
    return Problem("never_observed", f"{name} was never observed.")


def _host(request: HttpRequest, name: str) -> Host:
    """The host, if it is there and this person may see it: both end in the same answer."""
    found = visible(request.user, "hosts.view_host", hosts_called(name)).first()
    if found is None:
        raise Problem("no_such_host", "There is no such host, or you may not see it.")
    return found


def _summary(host: Host) -> HostSummary:
    return HostSummary(
        name=host.name,
        connection=host.connection,
        engine_id=host.engine_id,
        docker_root=host.docker_root,
        approved=host.approved,
        sandbox=host.is_sandbox,
    )
