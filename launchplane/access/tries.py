"""Counts what somebody does too often, in windows of time: wrong passwords, and refusals that go on record."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from launchplane.access.models import Tries
from launchplane.access.people import Principal

LONGEST_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many within a window that begins with the first."""

    count: int
    window: timedelta


# whoever is refused again and again fills the audit with no more than this, for each thing that they want
REFUSALS_ON_RECORD = Limit(60, timedelta(hours=1))


def full_until(key: str, limit: Limit, now: datetime) -> datetime | None:
    """None if one more is counted; when the next may be, if it is not."""
    Tries.objects.bulk_create([Tries(key=key, since=now)], ignore_conflicts=True)
    mine = Tries.objects.filter(key=key)
    mine.filter(since__lte=now - limit.window).update(since=now, count=0)
    if mine.filter(count__lt=limit.count).update(count=F("count") + 1):
        return None
    return mine.get().since + limit.window


def is_last(key: str, limit: Limit) -> bool:
    """Whether the one that was counted last has filled the window."""
    return Tries.objects.get(key=key).count >= limit.count


def is_full(key: str, limit: Limit, now: datetime) -> bool:
    """Whether one more would not be counted: looked at without the lock that writing takes, for those who flood."""
    return Tries.objects.filter(key=key, since__gt=now - limit.window, count__gte=limit.count).exists()


def key_of(*parts: str) -> str:
    """Keyed, so that the table tells nobody which names were typed."""
    text = "\0".join(part.casefold() for part in parts)
    return salted_hmac("launchplane.access.passwords", text, algorithm="sha256").hexdigest()


def refusal(by: Principal, wanted: str) -> dict[str, str] | None:
    """What the record of one more refusal says beside the rest; None if it is not recorded any more.

    `wanted` is one of a few words. The last one that is recorded says that more are not. Not within a transaction that
    appends: whoever waits for the chain's head holds nothing that others need.
    """
    key, now = key_of("refusal", by.id, wanted), timezone.now()
    if is_full(key, REFUSALS_ON_RECORD, now) or full_until(key, REFUSALS_ON_RECORD, now) is not None:
        return None
    if is_last(key, REFUSALS_ON_RECORD):
        return {"more": f"Further refusals of the same are not recorded for {REFUSALS_ON_RECORD.window}."}
    return {}
