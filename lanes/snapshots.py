"""What was seen of lanes, kept: canonical text that is stored once however often it is seen, and thinned with age."""

import json
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from lanes.contracts import Desired, Observed
from lanes.listings import narrowed
from lanes.models import Lane, LaneContact, LaneDocument, LaneSnapshot
from lanes.parts import parts_of
from launchplane.canonical import canonical, digest
from launchplane.stored_text import packed, unpacked
from launchplane.thinning import too_close

# longer than any look takes to be stored
LATELY: Final = timedelta(hours=1)


def store(lane: Lane, observed: Observed, *, asked_by: str) -> LaneSnapshot | None:
    """Keep what was seen, or note that it was seen again, and whether it was online. None if the lane is gone."""
    with transaction.atomic():
        # whoever looks at the same time comes after
        if not Lane.objects.select_for_update(no_key=True).filter(pk=lane.pk).exists():
            return None
        desired = lane.as_desired()
        snapshot = _snapshot(lane, desired, observed)
        listing = observed.listing
        snapshot.observed_at, snapshot.asked_by = observed.seen_at, asked_by
        snapshot.listed_at = None if listing is None else listing.seen_at
        snapshot.request_ids = [] if listing is None else list(listing.request_ids)
        snapshot.runners_listed = None if listing is None else len(listing.runners)
        snapshot.save()
        _note_contact(lane, desired, observed)
        _thin(lane, now=observed.seen_at)
    return snapshot


def load(snapshot: LaneSnapshot) -> Observed:
    """What the snapshot saw. Raises ValueError if the stored text is not the text that was hashed."""
    seen = json.loads(unpacked(snapshot.document.compressed, snapshot.document_id))
    seen["seen_at"] = snapshot.observed_at
    if seen["listing"] is not None:
        seen["listing"] |= {"seen_at": snapshot.listed_at, "request_ids": tuple(snapshot.request_ids)}
    return Observed.model_validate(seen)


def last_seen(lane: Lane) -> Observed | None:
    """The lane as it was seen last, or None if nobody ever looked."""
    snapshot = lane.snapshots.select_related("document").first()
    return None if snapshot is None else load(snapshot)


def _snapshot(lane: Lane, desired: Desired, observed: Observed) -> LaneSnapshot:
    """The last one if it saw the same and was not later, else a new one."""
    text = _canonical(desired, observed)
    sha256, last = digest(text), lane.snapshots.first()
    if last is not None and last.document_id == sha256 and last.observed_at <= observed.seen_at:
        return last
    document = LaneDocument(sha256=sha256, compressed=packed(text))
    LaneDocument.objects.bulk_create(
        [document], update_conflicts=True, unique_fields=["sha256"], update_fields=["wanted_at"]
    )
    return LaneSnapshot(lane=lane, document_id=sha256, first_at=observed.seen_at)


def _canonical(desired: Desired, observed: Observed) -> bytes:
    """The canonical text without any time, and of GitHub's listing only what is of the lane."""
    plain = observed.model_dump(mode="json", exclude={"seen_at": True, "listing": True})
    listing = observed.listing
    plain["listing"] = (
        None
        if listing is None
        else narrowed(listing, desired).model_dump(mode="json", exclude={"seen_at", "request_ids"})
    )
    return canonical(plain)


def _note_contact(lane: Lane, desired: Desired, observed: Observed) -> None:
    """One row for each span of the same; what is not known of a runner, or is not ours, ends no span."""
    parts = parts_of(desired, observed)
    if parts.registration not in ("ours", "none"):
        return
    online = parts.runner is not None and parts.runner.online
    last = lane.contacts.first()
    if last is None and parts.registration == "none":
        return  # it was never there: that is no end of anything
    if last is None or last.online != online:
        LaneContact.objects.create(lane=lane, online=online, since=observed.seen_at, until=observed.seen_at)
    else:
        LaneContact.objects.filter(pk=last.pk, until__lt=observed.seen_at).update(until=observed.seen_at)


def _thin(lane: Lane, *, now: datetime) -> None:
    """Drop snapshots that are too close for their age, and documents that nothing refers to."""
    going = too_close(lane.snapshots.order_by("observed_at", "pk").values_list("pk", "observed_at"), now=now)
    if going:
        LaneSnapshot.objects.filter(pk__in=going).delete()
        _drop_documents()


def _drop_documents() -> None:
    """Those that nobody refers to nor wanted lately: a snapshot that somebody makes of one just now cannot be seen."""
    wanted = LaneSnapshot.objects.filter(document=OuterRef("pk"))
    unused = LaneDocument.objects.filter(~Exists(wanted), wanted_at__lt=timezone.now() - LATELY)
    going = list(unused.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked))
    LaneDocument.objects.filter(pk__in=[document.pk for document in going]).delete()
