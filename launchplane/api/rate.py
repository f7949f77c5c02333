"""How often one identity may call a route that writes: so many in a minute, whatever comes of each call.

The database counts, and gives each process a few calls at once to hand out by itself: never more than the limit in all,
and hardly any statement for a single call. What a process does not hand out within the minute is lost to the caller.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Lock
from typing import Final

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from launchplane.access.callers import Caller
from launchplane.access.models import Tries
from launchplane.access.tries import key_of
from launchplane.api.refusing import NotTaken

WINDOW: Final = timedelta(minutes=1)
# a process is given the limit in this many parts
PARTS: Final = 30
MOST_KNOWN: Final = 1000


@dataclass(slots=True)
class _Given:
    """Calls that this process may hand out until then. Whoever holds the lock hands out, or asks for more."""

    left: int
    until: datetime
    lock: Lock = field(default_factory=Lock)


_given: dict[tuple[str, int], _Given] = {}
_lock = Lock()


def count(caller: Caller, route: str) -> None:
    """One more. Raises NotTaken (429) with the seconds until the next may come, if that is too many."""
    now, limit = timezone.now(), settings.EVIDENCE_PER_MINUTE
    name = f"{caller.identity} {route}"
    given = _known(name, limit, now)
    with given.lock:
        # a clock may go back
        if given.left == 0 or not now < given.until <= now + WINDOW:
            given.left, given.until = _ask_for_more(name, limit, now)
        if given.left == 0:
            sentence = f"No more than {limit} a minute are taken from one token or workflow. Wait, then go on."
            wait = max(1, round((given.until - now).total_seconds()))
            raise NotTaken(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", sentence, wait_seconds=wait)
        given.left -= 1


def _known(name: str, limit: int, now: datetime) -> _Given:
    with _lock:
        if len(_given) >= MOST_KNOWN:
            for over in [key for key, each in _given.items() if each.until <= now]:
                del _given[over]
        return _given.setdefault((name, limit), _Given(0, now))


def _ask_for_more(name: str, limit: int, now: datetime) -> tuple[int, datetime]:
    """One part of the limit, or a single call if there is less, or none if the window is full; and when that ends."""
    key = key_of("rate", name)
    Tries.objects.bulk_create([Tries(key=key, since=now)], ignore_conflicts=True)
    row = Tries.objects.filter(key=key)
    row.filter(since__lte=now - WINDOW).update(since=now, count=0)
    parts = (max(1, limit // PARTS), 1)
    wanted = (part for part in parts if row.filter(count__lte=limit - part).update(count=F("count") + part))
    left = next(wanted, 0)
    return left, row.get().since + WINDOW
