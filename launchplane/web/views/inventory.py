"""Everything a host holds: find it, ask why it is still there, and what a selection would free."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from hygiene.contracts import Class, Key, Kind, ResourceRow
from hygiene.inventory import HostView, frees_alone, latest, reclaim, select
from hygiene.judge import REMOVABLE
from hygiene.models import Resource
from launchplane.hosts.models import Host
from launchplane.web.access import host_or_404
from launchplane.web.views.frame import host_page

PER_PAGE = 100
ORDERS = (
    ("-size", "largest first"),
    ("size", "smallest first"),
    ("-age", "oldest first"),
    ("age", "newest first"),
    ("name", "by name"),
    ("-last_used", "last used first"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the inventory with what its removal alone would free."""

    row: ResourceRow
    frees_alone: int | None

    @property
    def query(self) -> str:
        """The query string of its own page; a key may hold anything."""
        return urlencode({"kind": self.row.kind.value, "key": self.row.key})

    @property
    def selectable(self) -> bool:
        """What is protected, in use or unknown can be no target."""
        return self.row.cls in REMOVABLE


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for. A value that is not known filters nothing."""

    kind: str
    cls: str
    text: str
    sort: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Filter":
        asked = request.GET
        return cls(
            kind=_known(asked.get("kind", ""), list(Kind)),
            cls=_known(asked.get("class", ""), list(Class)),
            text=asked.get("text", "").strip()[:200],
            sort=_known(asked.get("sort", ""), [order for order, _ in ORDERS]) or "-size",
        )

    @property
    def narrows(self) -> bool:
        return bool(self.kind or self.cls or self.text)

    def rows(self, view: HostView) -> list[ResourceRow]:
        return select(view.rows, kind=self.kind, cls=self.cls, text=self.text, sort=self.sort)


def _known(value: str, among: Sequence[str]) -> str:
    return value if value in among else ""


@login_required
def inventory(request: HttpRequest, name: str) -> HttpResponse:
    """100 rows a page, with a constant number of queries."""
    host = host_or_404(request, name)
    view = latest(host)
    if view is None:
        return host_page(request, "host/never.html", host, tab="inventory")
    wanted = Filter.of(request)
    rows = wanted.rows(view)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return host_page(
        request,
        "host/inventory.html",
        host,
        tab="inventory",
        view=view,
        wanted=wanted,
        page=page,
        shown=[Shown(row, frees_alone(view, row)) for row in page.object_list],
        could_go=sum(row.cls == Class.CANDIDATE for row in rows),
        kinds=list(Kind),
        classes=list(Class),
        orders=ORDERS,
    )


@login_required
@require_POST
def frees(request: HttpRequest, name: str) -> HttpResponse:
    """What would that free? A POST because a selection is too long for an address; it changes nothing."""
    host = host_or_404(request, name)
    view = latest(host)
    if view is None:
        return host_page(request, "host/never.html", host, tab="inventory")
    keys = _selected(request, view)
    chosen = set(keys)
    rows = [row for row in view.rows if (row.kind, row.key) in chosen]
    template = "host/frees_result.html" if request.headers.get("HX-Request") else "host/frees.html"
    return host_page(
        request,
        template,
        host,
        tab="inventory",
        view=view,
        asked=len(keys),
        rows=[Shown(row, None) for row in rows],
        reclaim=reclaim(view, keys) if keys else None,
        back=f"?{request.GET.urlencode()}",
    )


def _selected(request: HttpRequest, view: HostView) -> list[Key]:
    """The ticked rows, or all that match the filter and could go."""
    if "all" in request.POST:
        return [(row.kind, row.key) for row in Filter.of(request).rows(view) if row.cls == Class.CANDIDATE]
    return list(dict.fromkeys(_parsed(item) for item in request.POST.getlist("item")))


def _parsed(item: str) -> Key:
    """`kind:key`, as the boxes send it. Raises BadRequest."""
    kind, colon, key = item.partition(":")
    if kind not in list(Kind) or not colon:
        raise BadRequest("no such kind of resource")
    return Kind(kind), key


@login_required
def resource(request: HttpRequest, name: str) -> HttpResponse:
    """Why is this still here? A page of its own for each resource; one that is gone says since when."""
    host = host_or_404(request, name)
    kind, key = request.GET.get("kind", ""), request.GET.get("key", "")
    view = latest(host)
    row = next((row for row in view.rows if row.kind == kind and row.key == key), None) if view else None
    if view is None or row is None:
        known = _from_ledger(host, kind, key)
        return host_page(request, "host/gone.html", host, tab="inventory", kind=kind, key=key, known=known, status=404)
    shown = Shown(row, frees_alone(view, row))
    return host_page(
        request,
        "host/resource.html",
        host,
        tab="inventory",
        view=view,
        row=row,
        shown=shown,
        details=row.details.items(),
    )


def _from_ledger(host: Host, kind: str, key: str) -> Resource | None:
    """What the ledger remembers of something that is not there (any more)."""
    if kind not in list(Kind) or "\0" in key:
        return None
    return Resource.objects.filter(host=host, kind=kind, key=key).first()
