"""How often one identity may call a route that writes: so many in a minute, counted in the database.

Counted before the body is read, whatever comes of the request: one statement, in a commit of its own.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Final

from django.utils import timezone

from launchplane.access import tries
from launchplane.access.callers import Caller
from launchplane.access.tries import Limit
from launchplane.api.refusing import NotTaken

A_MINUTE: Final = Limit(600, timedelta(minutes=1))


def count(caller: Caller, route: str, limit: Limit = A_MINUTE) -> None:
    """One more. Raises NotTaken (429) with the seconds until the next may come, if that is too many."""
    now = timezone.now()
    until = tries.full_until(tries.key_of("rate", caller.identity, route), limit, now)
    if until is not None:
        sentence = f"{limit.count} in {limit.window.total_seconds():.0f} seconds are as many as are taken from one."
        wait = max(1, round((until - now).total_seconds()))
        raise NotTaken(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", sentence, wait_seconds=wait)
