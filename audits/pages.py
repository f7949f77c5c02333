"""Pages of records, the newest first, at a price that depends on neither the length of the chain nor the depth.

A page goes along streams, each of which an index has in order: the records of one kind, one host or one key. Where more
is asked for than that, each stream is looked at over at most EXAMINED records, so that a filter that fits nothing costs
no more than one that fits all. The page may be short then, or empty, and still says where to go on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from audits.models import AuditRecord

EXAMINED: Final = 2000
# so many hosts are gone along one by one; with more than that, the kinds are
FEW_HOSTS: Final = 20
LARGEST_SEQ: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """Records of `kinds` and `hosts` (None: of all, of those too that are gone) whose fields are `fields`.

    `before` and `after` are places in the chain, neither of which belongs to the page. `latest` leaves only the newest
    record of each key, host and lane.
    """

    kinds: tuple[str, ...]
    hosts: tuple[str, ...] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    before: int = LARGEST_SEQ
    after: int = 0
    limit: int = 100
    latest: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The places of the records, the newest first. `next_before` goes on from here; None if there is nothing more."""

    seqs: tuple[int, ...]
    next_before: int | None


def page(wanted: Wanted) -> Page:
    """One page, by at most two queries for each stream."""
    found: list[int] = []
    unseen = 0  # up to here, some stream has not been looked at
    for along in streams(wanted):
        stream, rest = in_order(wanted, along), _rest(wanted, along)
        if rest:
            seen = list(stream[: EXAMINED + 1])
            unseen = max(unseen, *seen[EXAMINED:], 0)
            # by their places, one by one: asked for all at once, a database may go through the whole chain instead
            stream = _places(AuditRecord.objects.filter(*rest, seq__in=seen[:EXAMINED]))
        found += stream[: wanted.limit + 1]
    seqs = [seq for seq in sorted(found, reverse=True) if seq > unseen]
    shown = tuple(seqs[: wanted.limit])
    if len(seqs) > len(shown):
        return Page(shown, shown[-1])
    return Page(shown, unseen + 1 if unseen else None)


def streams(wanted: Wanted) -> Iterator[Mapping[str, str]]:
    """What to go along: the fields by which an index finds records, in the order of the chain."""
    if "key" in wanted.fields:
        yield {"key": wanted.fields["key"]}
    elif (hosts := _hosts(wanted)) is not None and len(hosts) <= FEW_HOSTS:
        yield from ({"host": host} for host in hosts)
    else:
        yield from ({"kind": kind} for kind in _kinds(wanted))


def in_order(wanted: Wanted, along: Mapping[str, str]) -> QuerySet[AuditRecord, int]:
    """The places of one stream's records between `before` and `after`, the newest first: a range of one index."""
    return _places(AuditRecord.objects.filter(seq__lt=wanted.before, seq__gt=wanted.after, **along))


def _places(found: QuerySet[AuditRecord]) -> QuerySet[AuditRecord, int]:
    return found.order_by("-seq").values_list("seq", flat=True)


def _rest(wanted: Wanted, along: Mapping[str, str]) -> list[Q]:
    """What a record of the stream has to fulfil on top."""
    rest = [Q(**{name: text}) for name, text in wanted.fields.items() if name not in along]
    if "kind" not in along:
        rest.append(Q(kind__in=wanted.kinds))
    if "host" not in along and wanted.hosts is not None:
        rest.append(Q(host__in=wanted.hosts))
    return [*rest, ~Q(_newer(wanted))] if wanted.latest else rest


def _newer(wanted: Wanted) -> Exists:
    same = {name: OuterRef(name) for name in ("key", "host", "lane")}
    return Exists(AuditRecord.objects.filter(kind__in=wanted.kinds, seq__gt=OuterRef("seq"), **same))


def _hosts(wanted: Wanted) -> tuple[str, ...] | None:
    """The hosts that can be on the page; None for any."""
    if (host := wanted.fields.get("host")) is None:
        return wanted.hosts
    return (host,) if wanted.hosts is None or host in wanted.hosts else ()


def _kinds(wanted: Wanted) -> tuple[str, ...]:
    kind = wanted.fields.get("kind")
    return wanted.kinds if kind is None else tuple(known for known in wanted.kinds if known == kind)
