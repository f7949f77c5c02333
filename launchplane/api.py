"""The HTTP interface under `/v1`. So far it only reads, for a person who is logged in."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Query
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import SessionAuth
from pydantic import BaseModel, Field

from hygiene.contracts import Class, InventoryView, Kind, Report
from hygiene.inventory import latest, select, view_for_programs
from hygiene.models import Snapshot
from hygiene.snapshots import stored_report
from launchplane.access.rights import visible
from launchplane.hosts.models import Host


class ReadingSession(SessionAuth):
    """A browser session may read. It changes nothing here, so no cross-site request can."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        user = super().authenticate(request, key)
        return user if user and request.method in ("GET", "HEAD") else None


class Problem(BaseModel):
    """A problem document (RFC 9457) with a stable code."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


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

    after: str = Field("", max_length=64)
    limit: int = Field(100, ge=1, le=100)


class InventoryQuery(BaseModel):
    """What to list of an inventory."""

    kind: Kind | None = None
    cls: Class | None = Field(None, alias="class")
    text: str = Field("", max_length=200)
    sort: str = Field("-size", pattern="^-?(size|age|last_used)$|^name$")
    limit: int = Field(1000, ge=1, le=10_000)


api = NinjaAPI(title="Launchplane", version="1", urls_namespace="v1", docs_url=None, auth=ReadingSession())


@api.get("/hosts", response={200: HostList, 401: Problem}, summary="The hosts that you may see")
def hosts(request: HttpRequest, query: Query[HostQuery]) -> HostList:
    found = visible(request.user, "hosts.view_host", Host.objects.filter(name__gt=query.after)).order_by("name")
    page = list(found[: query.limit + 1])
    shown = page[: query.limit]
    return HostList(
        hosts=[_summary(host) for host in shown], next_after=shown[-1].name if len(page) > len(shown) else None
    )


@api.get("/hosts/{name}", response={200: HostSummary, 401: Problem, 404: Problem}, summary="One host")
def host(request: HttpRequest, name: str) -> HostSummary:
    return _summary(_host(request, name))


@api.get(
    "/hosts/{name}/report",
    response={200: Report, 401: Problem, 404: Problem},
    by_alias=True,
    summary="The report of the last observation",
)
def report(request: HttpRequest, name: str) -> Report:
    snapshot: Snapshot | None = _host(request, name).snapshots.first()
    if snapshot is None:
        raise HttpError(404, "This host was never observed.")
    return stored_report(snapshot)


@api.get(
    "/hosts/{name}/inventory",
    response={200: InventoryView, 401: Problem, 404: Problem},
    by_alias=True,
    summary="What the last observation saw, each with its class and why",
)
def inventory(request: HttpRequest, name: str, query: Query[InventoryQuery]) -> InventoryView:
    view = latest(_host(request, name))
    if view is None:
        raise HttpError(404, "This host was never observed.")
    rows = select(view.rows, kind=query.kind or "", cls=query.cls or "", text=query.text, sort=query.sort)
    return view_for_programs(view, rows, limit=query.limit)


@api.exception_handler(AuthenticationError)
def not_authenticated(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return _problem(request, 401, "not_authenticated", "Log in first.")


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    code = {404: "not_found"}.get(error.status_code, "refused")
    return _problem(request, error.status_code, code, error.message)


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0] if error.errors else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return _problem(request, 422, "invalid", f"{where}: {first.get('msg', 'not valid')}")


def _problem(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    titles = {401: "Not authenticated", 404: "Not found", 422: "Not valid"}
    document = Problem(title=titles.get(status, "Refused"), status=status, detail=detail, code=code)
    response = api.create_response(request, document.model_dump(), status=status)
    response["Content-Type"] = "application/problem+json"
    return response


def _host(request: HttpRequest, name: str) -> Host:
    """The host, if it is there and this person may see it: both end in the same answer."""
    found = visible(request.user, "hosts.view_host", Host.objects.filter(name=name)).first()
    if found is None:
        raise HttpError(404, "There is no such host, or you may not see it.")
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
