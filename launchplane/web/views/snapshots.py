"""What was seen when, and what changed in between."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from hygiene.difference import Difference, Line, difference
from hygiene.models import Snapshot
from hygiene.snapshots import load
from launchplane.web.access import host_or_404
from launchplane.web.views.frame import host_page

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two snapshots, the older first, and what changed between them."""

    older: Snapshot
    newer: Snapshot
    difference: Difference

    @property
    def parts(self) -> list[tuple[str, tuple[Line, ...]]]:
        """What is new, what is gone and what is otherwise, under its word."""
        found = self.difference
        return [("gone", found.gone), ("new", found.added), ("changed", found.changed)]


@login_required
def snapshots(request: HttpRequest, name: str) -> HttpResponse:
    host = host_or_404(request, name)
    found = Snapshot.objects.filter(host=host).defer("readings", "report")
    return host_page(
        request,
        "host/snapshots.html",
        host,
        tab="snapshots",
        page=Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        comparison=_comparison(request, found),
    )


def _comparison(request: HttpRequest, among: QuerySet[Snapshot]) -> Comparison | None:
    """The two that were asked for, in the order they were taken; None if none were."""
    asked = [request.GET.get(end, "") for end in ("from", "to")]
    if not all(asked):
        return None
    pair = [among.filter(pk=int(key)).first() if _is_key(key) else None for key in asked]
    first, second = pair
    if first is None or second is None:
        raise Http404("no such snapshot of this host")
    older, newer = sorted((first, second), key=lambda snapshot: (snapshot.observed_at, snapshot.pk))
    return Comparison(older, newer, difference(load(older), load(newer)))


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
