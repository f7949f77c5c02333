"""`/v1/hosts…`: hosts, and what was last seen of each."""

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from hygiene.contracts import Class, InventoryView, Kind, Report
from hygiene.inventory import latest, select, view_for_programs
from hygiene.models import Snapshot
from hygiene.snapshots import stored_report
from launchplane.access.actions import Action
from launchplane.access.callers import caller_of
from launchplane.api.errors import ERRORS
from launchplane.hosts.models import Host
from launchplane.hosts.services import hosts_called
from launchplane.problems import Problem


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


router = Router()


@router.get("/hosts", response={200: HostList, **ERRORS}, summary="The hosts that you may see")
def hosts(request: HttpRequest, query: Query[HostQuery]) -> HostList:
    found = _hosts(request, Host.objects.filter(name__gt=query.after)).order_by("name")
    page = list(found[: query.limit + 1])
    shown = page[: query.limit]
    return HostList(
        hosts=[_summary(host) for host in shown], next_after=shown[-1].name if len(page) > len(shown) else None
    )


@router.get("/hosts/{name}", response={200: HostSummary, **ERRORS}, summary="One host")
def host(request: HttpRequest, name: str) -> HostSummary:
    return _summary(_host(request, name))


@router.get(
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


@router.get(
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


def never_observed(name: str) -> Problem:
    """Nothing is stored of this host."""
    return Problem("never_observed", f"{name} was never observed.")


def _hosts(request: HttpRequest, among: QuerySet[Host]) -> QuerySet[Host]:
    caller = caller_of(request)
    caller.require(Action.HOST_READ)
    return caller.hosts(Action.HOST_READ, among)


def _host(request: HttpRequest, name: str) -> Host:
    """The host, if it is there and this caller may see it: both end in the same answer."""
    found = _hosts(request, hosts_called(name)).first()
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
