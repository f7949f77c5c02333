"""One observation of a host at a time on this machine (D26), by a lock that the kernel takes back from the dead."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from launchplane.hosts.models import Host
from launchplane.problems import Problem

# whoever only looks whether an observation is alive holds the lock for an instant
PAUSES = (0.0, 0.02, 0.1)


@contextmanager
def observation_lock(host: Host) -> Iterator[bool]:
    """Yields True with the lock held, False if an observation of `host` on this machine has it.

    Raises Problem `lock_unusable` if this user cannot write to the state directory, or its disk is full.
    """
    descriptor = _opened(Path(settings.VAR) / "locks" / f"observe-{host.pk}")
    try:
        yield any(_taken(descriptor, pause) for pause in PAUSES)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        sentence = f"The lock {path} cannot be opened: {error.strerror}. Observe as the user that owns it."
        raise Problem("lock_unusable", sentence) from error


def _taken(descriptor: int, pause: float) -> bool:
    time.sleep(pause)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
