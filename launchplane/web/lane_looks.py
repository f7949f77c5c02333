"""That somebody asked for a look at a lane, kept in that person's session until it was looked at or nobody came."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from lanes.look_queue import queue_look
from lanes.models import Lane

KEY = "lane_looks"
# a host has 90 s to answer, and others may be looked at before
GIVEN_UP_AFTER = timedelta(minutes=4)
KEPT = 20


@dataclass(frozen=True, slots=True)
class Look:
    """A look that was asked for and has not come. `overdue`: nobody waits for it any more."""

    asked_at: datetime
    overdue: bool


def ask(session: SessionBase, lane: Lane, *, asked_by: str, seen_at: datetime | None) -> None:
    """Have a worker look at it, unless this person waits for that already."""
    look = awaited(session, lane, seen_at=seen_at)
    if look is not None and not look.overdue:
        return
    others = {name: at for name, at in session.get(KEY, {}).items() if name != lane.name}
    session[KEY] = dict([*others.items()][-KEPT + 1 :]) | {lane.name: timezone.now().isoformat()}
    queue_look(lane, asked_by=asked_by)


def awaited(session: SessionBase, lane: Lane, *, seen_at: datetime | None) -> Look | None:
    """The look that this person waits for; None if none was asked for, or the lane was seen since."""
    asked = session.get(KEY, {}).get(lane.name)
    if asked is None:
        return None
    asked_at = datetime.fromisoformat(asked)
    if seen_at is not None and seen_at >= asked_at:
        return None
    return Look(asked_at, overdue=timezone.now() - asked_at > GIVEN_UP_AFTER)
