"""Bearers that let somebody in lately: the redactor knows them by value, in whatever form they come back.

Only those that were good: who could have any words redacted could have them redacted out of the records of others.
What was refused is known by its looks alone.
"""

from collections import OrderedDict
from threading import Lock
from typing import Final

from audits.redact import LIVE

KNOWN_BY: Final = 24  # characters at the end, which nobody can do without; a longer pattern takes long to make
MOST: Final = 16  # more than a process answers at once; the redactor becomes slow with more than a few dozen

_seen: OrderedDict[str, None] = OrderedDict()
_lock = Lock()


def remember(bearer: str) -> None:
    """From now on no record and no log line of this process holds it, until MOST others came."""
    known = bearer[-KNOWN_BY:]
    with _lock:
        if known not in _seen:
            LIVE.register(known)
        _seen[known] = None
        _seen.move_to_end(known)
        if len(_seen) > MOST:
            LIVE.forget(_seen.popitem(last=False)[0])
