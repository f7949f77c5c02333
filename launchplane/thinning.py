"""How many looks at the same thing are kept: fewer, the older they are. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar

Key = TypeVar("Key")

# how old, and how far apart looks of that age stay
THINNING: Final = (
    (timedelta(days=2), timedelta(hours=1)),
    (timedelta(days=14), timedelta(hours=6)),
    (timedelta(days=60), timedelta(days=1)),
    (timedelta(days=730), timedelta(days=7)),
)


def too_close(looks: Iterable[tuple[Key, datetime]], *, now: datetime) -> list[Key]:
    """The keys of those that may go, of looks from the oldest to the newest.

    From the oldest on, and the newest always stays: so what one pass keeps, the next one measures from.
    """
    going, last_kept = [], None
    for key, at in list(looks)[:-1]:
        apart = next((apart for age, apart in reversed(THINNING) if now - at > age), None)
        if apart is not None and last_kept is not None and at - last_kept < apart:
            going.append(key)
        else:
            last_kept = at
    return going
