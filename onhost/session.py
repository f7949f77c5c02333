"""Who changes this host for the length of a whole change: the kernel's lock on one file, which ends with its holder.

The file belongs to the user that the control plane comes in as, and nobody else but root can open it: whoever could
might keep it locked for ever. So a lane's user cannot look, and launchplane-dispatch has done that for it.
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from onhost import fence, files
from onhost.refusals import BadRequest, Busy, Refused

NAME = "session"
ID = re.compile(r"[0-9a-f]{32}")
# whoever holds this host says something that often at least; a machine that went away says nothing
SILENT_SECONDS = 120.0
# the kernel's `struct flock`: type, whence, start, length (0: all of it) and pid, which has to be 0 here
RECORD_LOCK = "hhqqi4x"
# somebody who asks whether it is held locks it for a moment, too
PATIENCE_SECONDS = 2.0


def checked(told: object) -> str:
    """A session's id. Raises BadRequest `fields`."""
    if not (isinstance(told, str) and ID.fullmatch(told)):
        raise BadRequest("fields", "session has to be 32 small hexadecimal digits")
    return told


@contextmanager
def held(session: str) -> Iterator[None]:
    """Hold this host, as the user that the file belongs to.

    Raises Busy, also while something is at work that an earlier session began; Refused `odd_file` or `lock_missing`.
    """
    with files.folder(fence.FOLDER) as state, files.opened(state, NAME, owner=os.geteuid()) as file:
        files.take(file, patience_seconds=PATIENCE_SECONDS)
        if _is_used(file):
            raise Busy("busy", "a program that an earlier session began is still at work on this host")
        os.pwrite(file, _line(session), 0)
        os.ftruncate(file, len(_line(session)))
        try:
            yield
        finally:
            os.ftruncate(file, 0)


@contextmanager
def used(session: str) -> Iterator[None]:
    """Within, something is done for `session`, which holds this host: nobody else holds it before that has ended.

    So whoever holds it next sees what became of it. As root, or as the file's owner: both do it, since dispatch may be
    ended by force and what root does goes on. Raises Refused `not_held`.
    """
    with files.folder(fence.FOLDER) as state, files.opened(state, NAME, owner=_owner(state)) as file:
        # marked before it is asked who holds: whoever takes the lock meanwhile looks for marks after that
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack(RECORD_LOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
        _require_holds(file, session)
        yield


def _require_holds(file: int, session: str) -> None:
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


def _is_used(file: int) -> bool:
    """Whether a record lock is on the file. It is another kind than the lock that holds the host, and bars none."""
    answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, struct.pack(RECORD_LOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    return bool(struct.unpack(RECORD_LOCK, answer)[0] != fcntl.F_UNLCK)


def _owner(state: int) -> int:
    found = files.kind(state, NAME)
    if found is None:
        raise Refused("lock_missing", f"{NAME} is not there: the installation is not complete")
    return found.st_uid
