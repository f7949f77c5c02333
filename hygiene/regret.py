"""What was removed and is back within three days: somebody needed it (X7). Noticed by the next observation."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.utils import timezone

from audits import record
from hygiene import snapshots
from hygiene.contracts import Inventory
from hygiene.models import Regret, Snapshot
from hygiene.plan.items import KINDS
from launchplane.access.people import NOBODY
from launchplane.changes.contracts import PlannedStep
from launchplane.changes.models import Change, Step

WITHIN = timedelta(hours=72)


def watch_snapshots() -> None:
    """Look at each new snapshot, once it is stored."""
    post_save.connect(_noticed, sender=Snapshot, dispatch_uid="hygiene.regret")


def notice(snapshot: Snapshot) -> list[Regret]:
    """What of the removals of the last three days `snapshot` has again; each is noted and recorded once.

    Raises AuditRefused; what was not recorded is not noted either, and found again in the next snapshot.
    """
    removed = list(_removed(snapshot))
    if not removed:
        return []
    present = _names(snapshots.load(snapshot))
    found = []
    for change, row, step in removed:
        names = [name for name in (*_tags(step), step.target) if (step.verb, name) in present]
        if names:
            found.append(_note(snapshot, change, row, names[0]))
    return found


def _removed(snapshot: Snapshot) -> Iterator[tuple[Change, Step, PlannedStep]]:
    """The things that clean-ups took from the host lately, before the snapshot was made, and that nobody noted yet."""
    since = snapshot.observed_at - WITHIN
    rows = Step.objects.filter(change__host=snapshot.host_id, outcome=Step.Outcome.DONE, verb__in=tuple(KINDS))
    recent = rows.filter(finished_at__gt=since, finished_at__lt=snapshot.observed_at, regret__isnull=True)
    plans: dict[Any, dict[int, PlannedStep]] = {}
    for row in recent.select_related("change"):
        if row.change_id not in plans:
            plans[row.change_id] = {step.position: step for step in row.change.planned().steps}
        yield row.change, row, plans[row.change_id][row.position]


def _names(inventory: Inventory) -> set[tuple[str, str]]:
    """Everything that is there, by the verb that would remove it: images by id and by each tag.

    A container's name is left out: jobs use the same one again and again, and nobody missed the last one.
    """
    names = {("remove-image", name) for image in inventory.images for name in (image.id, *image.tags)}
    names |= {("remove-container", container.id) for container in inventory.containers}
    return names | {("remove-volume", volume.name) for volume in inventory.volumes}


def _tags(step: PlannedStep) -> tuple[str, ...]:
    tags = step.undo.get("tags")
    return tuple(str(tag) for tag in tags) if isinstance(tags, tuple | list) else ()


def _note(snapshot: Snapshot, change: Change, row: Step, name: str) -> Regret:
    with transaction.atomic():
        regret, new = Regret.objects.get_or_create(
            step=row,
            defaults={"host_id": snapshot.host_id, "name": name[:400], "noticed_at": timezone.now()},
        )
        if new:
            payload = {"change": str(change.pk), "verb": row.verb, "target": row.target, "is_back_as": name}
            record.append(
                kind="hygiene.regret",
                key=str(change.pk),
                status="completed",
                payload=payload,
                actor=NOBODY.actor(),
                source="worker",
                host=snapshot.host.name,
            )
    return regret


def _noticed(instance: Snapshot, created: bool, raw: bool = False, **_: Any) -> None:
    """The observation is stored by then: what fails here is in the log, and stops no observation."""

    def look() -> None:
        notice(instance)

    if created and not raw:
        transaction.on_commit(look, robust=True)
