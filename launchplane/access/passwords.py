"""The one place where a password is checked, at every door: so many wrong ones, and then there is a wait.

Per account and place (an address, a browser, a session, a shell user) the wait is short; per account, over all places
that are not known, it is longer. A browser that this account logged in with before is a known one, so whoever tries
passwords from elsewhere keeps nobody out of it (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import authenticate
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from audits import record
from launchplane.access.models import Tries, User
from launchplane.access.people import NOBODY, Principal
from launchplane.access.tries import LONGEST_WINDOW, Limit, full_until, is_last, key_of
from launchplane.problems import Refused, Waits

UNKNOWN_NAME = "an unknown name"


AT_ONE_PLACE = Limit(5, timedelta(minutes=15))
AT_UNKNOWN_PLACES = Limit(30, timedelta(hours=1))
# whoever tries names by the thousand fills the audit with no more than this
ON_RECORD = Limit(60, timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a password is given. `name` tells places apart, `words` is what the record says, `known` see above.

    `by` is whoever is at that place for certain: somebody who is logged in already.
    """

    name: str
    words: str
    source: str
    known: bool = False
    by: Principal = NOBODY


class TooMany(Waits):
    """No password is looked at before `until`."""

    def __init__(self, until: datetime, *, elsewhere: bool) -> None:
        self.wait_seconds = max(1, round((until - timezone.now()).total_seconds()))
        minutes = -(-self.wait_seconds // 60)
        sentence = (
            f"Too many wrong passwords for this name, so none is looked at before {until:%H:%M:%S} UTC "
            f"({minutes} minute{'s' if minutes > 1 else ''} from now)."
        )
        if elsewhere:
            sentence += " A browser in which this account was logged in before need not wait for those of others."
        super().__init__("too_many_tries", sentence)


def check(username: str, password: str, *, wanted: str, at: Place) -> User:
    """The person of that name, if the password is right. `wanted` says what for, in the record of a refusal.

    Raises TooMany `too_many_tries` (nothing was checked), Refused `not_authenticated`, which does not say whether the
    name or the password is wrong, or Refused `tries_unknown` if the count cannot be kept.
    """
    taken = _take(username, at)
    user = authenticate(username=username, password=password)
    if isinstance(user, User):
        _give_back(taken)
        return user
    _tell(username, wanted, at)
    raise Refused("not_authenticated", "This user name and password do not belong together.")


def _take(username: str, at: Place) -> list[str]:
    """Count this try before anything is checked, so that a thousand at once are a thousand. The keys that count it."""
    buckets = [(key_of("place", username, at.name), AT_ONE_PLACE)]
    if not at.known:
        buckets.append((key_of("account", username), AT_UNKNOWN_PLACES))
    now = timezone.now()
    try:
        with transaction.atomic():
            Tries.objects.filter(since__lte=now - LONGEST_WINDOW).delete()
            for key, limit in buckets:
                if (until := full_until(key, limit, now)) is not None:
                    raise TooMany(until, elsewhere=limit is AT_UNKNOWN_PLACES)
    except DatabaseError as error:
        sentence = "How many passwords were tried cannot be counted now, so none is checked. Try again in a minute."
        raise Refused("tries_unknown", sentence) from error
    return [key for key, _limit in buckets]


def _give_back(keys: list[str]) -> None:
    """The password was right: here nothing counts any more, and elsewhere this try does not."""
    place, *rest = keys
    Tries.objects.filter(key=place).delete()
    Tries.objects.filter(key__in=rest, count__gt=0).update(count=F("count") - 1)


def _tell(username: str, wanted: str, at: Place) -> None:
    """One record a try, up to a limit for all together; the last one says that more are not told."""
    key, now = key_of("record"), timezone.now()
    if full_until(key, ON_RECORD, now) is not None:
        return
    last = is_last(key, ON_RECORD)
    payload = {"wanted": wanted, "why": "wrong name or password", "from": at.words}
    if last:
        payload["more"] = f"Further wrong passwords are counted, but not recorded, for {ON_RECORD.window}."
    # what was typed as a name may be a password: only that of an account is written down
    name = username if User.objects.filter(username=username).exists() else UNKNOWN_NAME
    record.append(
        kind="access.denied",
        key=name,
        status="failed",
        payload=payload,
        actor=at.by.actor(),
        source=at.source,
    )
