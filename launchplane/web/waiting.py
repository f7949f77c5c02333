"""What waits for this person: changes and standing approvals to decide about, and what is in doubt."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from launchplane.access.models import User
from launchplane.access.rights import visible
from launchplane.changes import eyes
from launchplane.changes.kinds import all_kinds
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.models.change import Status
from launchplane.changes.recover import RIGHT as RESOLVE
from launchplane.hosts.models import Host

MOST = 20
# what a change has that lists need not read
HEAVY = ("plan", "before", "after", "gates")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing to decide: what, where, who asked why, until when."""

    tone: str
    word: str
    title: str
    host: str
    url: str
    by: str
    reason: str
    until: datetime | None


def waiting_for(user: User) -> list[Waiting]:
    """In doubt first, then what runs out first. A constant number of queries."""
    now = timezone.now()
    in_doubt = Change.objects.filter(status=Status.IN_DOUBT, host__in=_hosts(user, RESOLVE))
    changes = Change.objects.filter(_decidable(user), status=Status.AWAITING_APPROVAL, deadline__gt=now)
    asked = StandingApproval.objects.filter(_decidable(user), ended_at=None, expires_at__gt=now)
    asked = asked.filter(Q(granted_at=None) | Q(suspended_at__isnull=False))
    if not eyes.is_solo():
        changes = changes.exclude(requester=user).exclude(responsible=user)
        asked = asked.exclude(requested_by=user)
    return [
        *(_change(row, "bad", "in doubt") for row in _light(in_doubt)[:MOST]),
        *(_change(row, "wait", "to decide") for row in _light(changes).order_by("deadline")[:MOST]),
        *(_standing(row) for row in asked.select_related("host").order_by("requested_at")[:MOST]),
    ]


def _hosts(user: User, right: str) -> QuerySet[Host]:
    return visible(user, right, visible(user, "hosts.view_host", Host.objects.all())).order_by()


def _decidable(user: User) -> Q:
    """Kinds and hosts about which this person may decide; matches nothing if there are none."""
    kinds_of: dict[str, list[str]] = {}
    for kind in all_kinds().values():
        kinds_of.setdefault(kind.approve_right, []).append(kind.name)
    found = Q(pk__in=[])
    for right, names in kinds_of.items():
        found |= Q(kind__in=names, host__in=_hosts(user, right))
    return found


def _light(changes: QuerySet[Change]) -> QuerySet[Change]:
    return changes.select_related("host").defer(*HEAVY)


def _change(row: Change, tone: str, word: str) -> Waiting:
    kind = row.change_kind()
    return Waiting(
        tone,
        word,
        kind.title if kind else row.kind,
        row.host.name,
        reverse("change", args=[row.pk]),
        row.requester_name,
        row.sentence if row.status == Status.IN_DOUBT else row.reason,
        row.deadline if row.status == Status.AWAITING_APPROVAL else None,
    )


def _standing(row: StandingApproval) -> Waiting:
    kind = all_kinds().get(row.kind)
    suspended = row.suspended_at is not None
    return Waiting(
        "warn" if suspended else "wait",
        "suspended" if suspended else "to decide",
        f"Standing approval: {kind.title if kind else row.kind}",
        row.host.name,
        reverse("standing_approval", args=[row.pk]),
        row.requested_by_name,
        row.sentence if suspended else row.reason,
        None if suspended else row.expires_at,
    )
