"""One program at a time changes this host, and none that was overtaken by a newer change.

The newest fencing token ever seen is kept in /var/lib/launchplane. Who comes with an older one was given up by the
control plane while it was still on its way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from onhost import files
from onhost.refusals import Refused

FOLDER = "/var/lib/launchplane"
NAME = "fencing_token"
LOCK = "lock"
WRITTEN = re.compile(rb"[1-9][0-9]{0,18}\n")


@contextmanager
def held(token: int, *, dry_run: bool) -> Iterator[None]:
    """Alone on this host, with a token that is now the newest; a dry-run leaves no trace.

    Raises Busy, and Refused `stale_token`.
    """
    with files.folder(FOLDER) as state, files.locked(state, LOCK, owner=0, create=False):
        newest = _refuse_stale(state, token)
        if newest != token and not dry_run:
            files.replace(state, NAME, b"%d\n" % token)
        yield


def require_newest(token: int | None) -> None:
    """For a program that may only read here. Raises Refused `stale_token`."""
    with files.folder(FOLDER) as state:
        _refuse_stale(state, token or 0)


def _refuse_stale(state: int, token: int) -> int:
    newest = _newest(state)
    if token < newest:
        raise Refused("stale_token", f"fencing token {token} is older than {newest}: a newer change was here")
    return newest


def _newest(state: int) -> int:
    data = files.read(state, NAME, owner=0, limit=32)
    if data is None:
        return 0
    if not WRITTEN.fullmatch(data):
        raise Refused("fence_unreadable", f"{FOLDER}/{NAME} does not hold a number: an administrator has to look")
    return int(data)
