"""Snapshots: what was observed, kept as canonical text that is stored once however often it is seen."""

from collections.abc import Sized
from datetime import datetime

from django.db import transaction

from hygiene.contracts import Inventory, Observation, Readings, Report
from hygiene.models import Snapshot, SnapshotDocument
from launchplane.canonical import canonical, digest
from launchplane.hosts.models import Host
from launchplane.stored_text import packed, unpacked
from launchplane.thinning import too_close


def store(host: Host, observation: Observation, report: Report) -> Snapshot:
    """Keep an observation and its report. An inventory equal to one that is there is not stored again."""
    inventory, disk = observation.inventory, observation.readings.disk
    return Snapshot.objects.create(
        host=host,
        observed_at=observation.observed_at,
        duration_ms=observation.duration_ms,
        document_id=_document(inventory),
        readings=canonical(observation.readings).decode(),
        resources=sum(map(len, _lists(inventory))),
        disk_used_bytes=disk.used_bytes if disk else None,
        **figures(report),
    )


def _lists(inventory: Inventory) -> tuple[Sized, ...]:
    return inventory.images, inventory.containers, inventory.volumes, inventory.build_cache, inventory.builders


def _document(inventory: Inventory) -> str:
    """The digest of an inventory's canonical text, which is stored unless it is there.

    Canonical text costs a third of a whole pass, so equal facts are first looked up as pydantic writes them: its fields
    have a fixed order, so equal text means equal facts. Different text only means that the canonical one decides.
    """
    facts = digest(inventory.model_dump_json().encode())
    known = SnapshotDocument.objects.filter(facts_sha256=facts).values_list("pk", flat=True).first()
    if known is not None:
        return known
    text = canonical(inventory)
    sha256 = digest(text)
    document = SnapshotDocument(sha256=sha256, facts_sha256=facts, compressed=packed(text), text_bytes=len(text))
    SnapshotDocument.objects.bulk_create([document], ignore_conflicts=True)
    return sha256


def figures(report: Report) -> dict[str, int | str | None]:
    """The columns of a snapshot that come out of its report."""
    return {
        "report": canonical(report).decode(),
        "disk_total_bytes": report.disk_total_bytes,
        "disk_free_bytes": report.free_disk_bytes,
        "reclaimable_bytes": report.docker_reclaimable_bytes,
        "joint_reclaim_bytes": report.joint_reclaim_bytes,
    }


def load(snapshot: Snapshot) -> Inventory:
    """The inventory of a snapshot, from the stored text. Raises ValueError if it is not the text that was hashed."""
    return Inventory.model_validate_json(unpacked(snapshot.document.compressed, snapshot.document_id))


def readings(snapshot: Snapshot) -> Readings:
    """The readings of a snapshot."""
    return Readings.model_validate_json(snapshot.readings)


def stored_report(snapshot: Snapshot) -> Report:
    """The report of a snapshot, as of its time, under the policy of now."""
    return Report.model_validate_json(snapshot.report)


def thin(host: Host, *, now: datetime) -> int:
    """Drop snapshots that are too close for their age, and documents that nothing refers to. Returns how many went."""
    rows = Snapshot.objects.filter(host=host).order_by("observed_at", "pk").values_list("pk", "observed_at")
    going = too_close(rows, now=now)
    if going:
        with transaction.atomic():
            Snapshot.objects.filter(pk__in=going).delete()
            SnapshotDocument.objects.filter(snapshots=None).delete()
    return len(going)
