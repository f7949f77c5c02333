"""The kernel's lock of a host: held by whoever changes it for the whole run, and by recovery before it looks.

There are two: one of this machine, and where the host has our programs one on the host itself, which shuts out other
control planes, and without which those programs change nothing. The kernel gives each back when its holder ends,
however it ends. A process that is stopped still holds it. Who only wants to know whether it is held asks `is_held`,
which never takes it: a worker that comes meanwhile is not turned away.
"""

import fcntl
import os
import platform
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from launchplane.changes import tokens
from launchplane.changes.contracts import Gate, Json
from launchplane.changes.models import HostLease
from launchplane.hosts.errors import HostProblem
from launchplane.hosts.models import Host
from launchplane.hosts.programs import HeldElsewhere, Programs, programs_of
from launchplane.problems import Waits

FOLDER = "locks"
# the kernel's `struct flock`: type, whence, start, length (0: all of it) and pid, which has to be 0 here
MARK = "hhqqi4x"
# what this process holds, and the host's own programs where it holds them, too
_ours: dict[Path, Programs | None] = {}


class HostBusy(Waits):
    """Somebody else changes this host right now."""


class OutOfReach(Waits):
    """The host's own lock can't be taken, because nobody there answers as it should. Nothing was begun."""


@contextmanager
def held(host: Host) -> Iterator[None]:
    """Within, nobody else changes `host`. Raises HostBusy at once if somebody does, OutOfReach if it can't be asked."""
    with held_here(host), held_there(host):
        yield


@contextmanager
def held_here(host: Host) -> Iterator[None]:
    """Within, no other process of this machine changes `host`; the host itself is not asked. Raises HostBusy."""
    with file_held(path := lock_path(host)) as mine:
        if not mine:
            raise HostBusy("host_busy", busy_sentence(host))
        _ours[path] = None
        try:
            yield
        finally:
            _ours.pop(path, None)


@contextmanager
def held_there(host: Host) -> Iterator[None]:
    """Within, the host's programs change it for nobody else. Does nothing on a host without programs.

    Held here already. Raises HostBusy, OutOfReach.
    """
    with ExitStack() as stack:
        try:
            programs = programs_of(host)
            if programs.are_expected:
                stack.enter_context(programs.session())
                _ours[lock_path(host)] = programs
        except HeldElsewhere as busy:
            raise HostBusy(busy.code, busy.sentence) from busy
        except HostProblem as problem:
            raise OutOfReach(problem.code, problem.sentence) from problem
        yield


def why_lost(host: Host) -> str | None:
    """Why the host's own lock is not held any more although this process took it; None while it is."""
    programs = _ours.get(lock_path(host))
    if programs is None or programs.is_held():
        return None
    return f"The line to {host.name} was cut, and with it the lock there went: nothing more is begun."


def is_ours(host: Host) -> bool:
    """Whether it is this process that holds `host`."""
    return lock_path(host) in _ours


def is_held(host: Host) -> bool:
    """Whether some process of this machine changes `host` right now, this one included. Takes nothing, waits never."""
    try:
        descriptor = os.open(lock_path(host), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, struct.pack(MARK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    finally:
        os.close(descriptor)
    return bool(struct.unpack(MARK, answer)[0] != fcntl.F_UNLCK)


def busy_sentence(host: Host) -> str:
    """For people, and for whoever has to wait."""
    return f"{host.name} is being changed by another worker. This waits for it."


def gate(host: Host) -> Gate:
    """Open if this process holds the host, or nobody does. Asks only: a worker that comes meanwhile gets the lock."""
    lease = HostLease.objects.filter(host=host).first()
    said: dict[str, Json] = {"holder": lease.holder if lease else "", "token": lease.token if lease else 0}
    if is_ours(host):
        return Gate(name="lock", state="open", reason="This worker holds the host's lock.", evidence=said)
    if not is_held(host):
        return Gate(name="lock", state="open", reason="Nobody else changes this host.", evidence=said)
    return Gate(name="lock", state="closed", reason=busy_sentence(host), evidence=said)


@contextmanager
def file_held(path: Path) -> Iterator[bool]:
    """Yields True with the kernel's lock on `path` held, False if another process of this machine holds it."""
    descriptor = _take(path)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def lock_path(host: Host) -> Path:
    """The file that is locked. It stays; only the lock on it comes and goes."""
    return Path(settings.VAR) / FOLDER / f"host-{host.pk}"


def next_token(host: Host) -> int:
    """A fencing token larger than any before on `host`. Inside the claim's transaction, so the row stays locked."""
    if not HostLease.objects.filter(host=host).exists():
        HostLease.objects.get_or_create(host=host, defaults={"token": tokens.on_record(host.name)})
    HostLease.objects.filter(host=host).update(token=F("token") + 1, holder=holder(), taken_at=timezone.now())
    return HostLease.objects.values_list("token", flat=True).get(host=host)


def holder() -> str:
    """This process, for people who look who holds a host."""
    return f"{machine()} pid {os.getpid()}"


def machine() -> str:
    """This machine: the kernel's lock says nothing about the processes of another."""
    return platform.node()[:100]


def let_go(host: Host) -> None:
    """Nobody holds the host, for people who look. The lock itself goes with its descriptor."""
    HostLease.objects.filter(host=host).update(holder="")


def _take(path: Path) -> int | None:
    """A descriptor that holds the lock of the file that is at `path`, or None if another process holds it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                _mark(descriptor)
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        os.close(descriptor)


def _mark(descriptor: int) -> None:
    """Nobody can ask about a `flock` without trying to take it; about a record lock of the same file one can."""
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack(MARK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the locked file is still the one at `path`: one that was removed meanwhile excludes nobody."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
