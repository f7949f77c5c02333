"""Who changes this host for the length of a whole change: the kernel's lock on one file, which ends with its holder.

The file belongs to the user that the control plane comes in as, and nobody else but root can open it: whoever could
might keep it locked for ever. So a lane's user cannot look, and launchplane-dispatch has done that for it.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from onhost import fence, files
from onhost.refusals import BadRequest, Refused

NAME = "session"
ID = re.compile(r"[0-9a-f]{32}")
# somebody who asks whether it is held locks it for a moment, too
PATIENCE_SECONDS = 2.0


def checked(told: object) -> str:
    """A session's id. Raises BadRequest `fields`."""
    if not (isinstance(told, str) and ID.fullmatch(told)):
        raise BadRequest("fields", "session has to be 32 small hexadecimal digits")
    return told


@contextmanager
def held(session: str) -> Iterator[None]:
    """Hold this host, as the user that the file belongs to. Raises Busy, and Refused `odd_file` or `lock_missing`."""
    with files.folder(fence.FOLDER) as state, files.opened(state, NAME, owner=os.geteuid()) as file:
        files.take(file, patience_seconds=PATIENCE_SECONDS)
        os.pwrite(file, _line(session), 0)
        os.ftruncate(file, len(_line(session)))
        try:
            yield
        finally:
            os.ftruncate(file, 0)


def require_held(session: str) -> None:
    """That this host is held right now, by `session`. As root, or as the file's owner. Raises Refused `not_held`."""
    with files.folder(fence.FOLDER) as state, files.opened(state, NAME, owner=_owner(state)) as file:
        if _is_free(file):
            raise Refused("not_held", "nobody holds this host: the session has ended, or was never begun")
        if os.pread(file, 64, 0) != _line(session):
            raise Refused("not_held", "another session holds this host")


def _line(session: str) -> bytes:
    return session.encode("ascii") + b"\n"


def _is_free(file: int) -> bool:
    """Asked with a lock that is shared, so that two who ask at once do not take each other for a holder."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(state: int) -> int:
    found = files.kind(state, NAME)
    if found is None:
        raise Refused("lock_missing", f"{NAME} is not there: the installation is not complete")
    return found.st_uid
