"""How a host stands, in a word: the same on the dashboard and on top of each of its pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from hygiene.contracts import Report
from hygiene.models import ObservationRun, Snapshot
from launchplane.hosts.models import Contact, Host

OLD_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """One word with its tone, the last report if there is one, and why the host can't be reached if it can't."""

    tone: str
    word: str
    snapshot: Snapshot | None
    report: Report | None
    unreachable: Contact | None


def standings(hosts: Iterable[Host]) -> dict[int, Standing]:
    """The standing of each host by its key, with two queries however many hosts there are."""
    keys = [host.pk for host in hosts]
    newest_snapshot = Snapshot.objects.filter(host=OuterRef("pk")).order_by("-observed_at", "-pk").values("pk")[:1]
    newest_contact = Contact.objects.filter(host=OuterRef("pk")).order_by("-at", "-pk").values("pk")[:1]
    among = Host.objects.filter(pk__in=keys)
    snapshots = Snapshot.objects.filter(pk__in=among.values(newest=Subquery(newest_snapshot)))
    contacts = Contact.objects.filter(pk__in=among.values(newest=Subquery(newest_contact)))
    snapshot_of = {snapshot.host_id: snapshot for snapshot in snapshots.defer("readings")}
    contact_of = {contact.host_id: contact for contact in contacts}
    now = timezone.now()
    return {key: standing(snapshot_of.get(key), contact_of.get(key), now=now) for key in keys}


def standing(snapshot: Snapshot | None, contact: Contact | None, *, now: datetime) -> Standing:
    """Out of reach outweighs what the last report said; what was not observed lately is never called healthy."""
    report = Report.model_validate_json(snapshot.report) if snapshot else None
    if contact is not None and not contact.reachable:
        return Standing("bad", "cannot be reached", snapshot, report, contact)
    if report is None:
        return Standing("", "never observed", snapshot, report, None)
    if report.status == "attention":
        return Standing("warn", "needs attention", snapshot, report, None)
    if now - report.observed_at > OLD_AFTER:
        return Standing("unsure", "not observed lately", snapshot, report, None)
    return Standing("good", "healthy", snapshot, report, None)


ACTIVE = (ObservationRun.Status.QUEUED, ObservationRun.Status.RUNNING)
ENDED_BADLY = (ObservationRun.Status.FAILED, ObservationRun.Status.LOST)
