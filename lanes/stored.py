"""What is on record of lanes for those who only read: the last look at each, and the five proofs as of now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import OuterRef, Subquery

from lanes.contracts import Observed
from lanes.models import Lane, LaneSnapshot
from lanes.readiness import PROOFS, readiness
from lanes.snapshots import load
from launchplane.changes.contracts import Gate

# an older look proves nothing to whoever reads the readiness of a lane
AT_MOST_OLD: Final = timedelta(minutes=15)
NEVER: Final = "Nobody has looked at it yet."


@dataclass(frozen=True, slots=True)
class Seen:
    """The last look at a lane; or, with None, why nothing is known of it."""

    observed: Observed | None
    why: str = ""

    @property
    def at(self) -> datetime | None:
        """When that look was."""
        return None if self.observed is None else self.observed.seen_at


def last_looks(lanes: Iterable[Lane]) -> dict[int, Seen]:
    """The last look at each lane by its key: one query, however many lanes there are."""
    keys = [lane.pk for lane in lanes]
    newest = LaneSnapshot.objects.filter(lane=OuterRef("pk")).order_by("-observed_at", "-pk").values("pk")[:1]
    wanted = Lane.objects.filter(pk__in=keys).order_by().values(newest=Subquery(newest))
    found = LaneSnapshot.objects.filter(pk__in=wanted).select_related("document", "lane")
    seen = {snapshot.lane_id: _loaded(snapshot) for snapshot in found}
    return {key: seen.get(key, Seen(None, NEVER)) for key in keys}


def last_look(lane: Lane) -> Seen:
    """The last look at one lane."""
    return last_looks([lane])[lane.pk]


def nothing_seen(lane: Lane, now: datetime) -> Observed:
    """The lane as it is known before anybody has looked: nothing is there, and nothing is absent."""
    return Observed(
        lane_name=lane.name,
        listing=None,
        directory=None,
        service=None,
        baseline=None,
        condition="none",
        unmeasured=dict.fromkeys(("listing", "directory", "service", "baseline", "control_path"), NEVER.rstrip(".")),
        seen_at=now,
    )


def proofs_now(lane: Lane, seen: Seen, *, now: datetime) -> tuple[Gate, ...]:
    """The five proofs of M94, in the order of PROOFS, as of `now`. What was not seen lately is unknown."""
    if seen.observed is None:
        return tuple(
            Gate(name=name, state="unknown", reason=f"{seen.why} Counts as closed.", evidence={}) for name in PROOFS
        )
    return readiness(lane.as_desired(), seen.observed, now=now, at_most_old=AT_MOST_OLD).proofs


def proven_at(seen: Seen) -> datetime | None:
    """From when the oldest thing is that the proofs rest on: the look at the host, or GitHub's listing."""
    observed = seen.observed
    if observed is None or observed.listing is None:
        return seen.at
    return min(observed.seen_at, observed.listing.seen_at)


def _loaded(snapshot: LaneSnapshot) -> Seen:
    """A row that is damaged speaks for no other lane."""
    try:
        return Seen(load(snapshot))
    except ValueError:
        return Seen(None, "What was stored of the last look is damaged. Look at it again.")
