"""Files and folders without ever following a link: every step of a path is opened by itself, from the root down.

A user who may write in a folder can swap what is in it at any time. So what was checked is what is held open, and
nothing is looked up a second time by its whole path.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from onhost.refusals import Busy, Refused

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
LOCK_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
OTHERS_ANY = stat.S_IRWXG | stat.S_IRWXO
TRY_AGAIN_SECONDS = 0.05


@contextmanager
def folder(path: str, *, owner: int = 0) -> Iterator[int]:
    """A descriptor of the folder `path`, which `owner` (uid) owns; all above it are root's. None is open to others.

    Raises Refused `path_unsafe` or `path_missing`.
    """
    here = os.open("/", FOLDER_FLAGS)
    try:
        _check(here, "/", owner=0)
        walked = ""
        for part in path.strip("/").split("/"):
            walked += "/" + part
            below = _step(here, part, walked)
            os.close(here)
            here = below
            _check(here, walked, owner=owner if walked == path else 0)
        yield here
    finally:
        os.close(here)


def kind(at: int, name: str) -> os.stat_result | None:
    """What `name` is in the folder `at`, without opening it; None when it is not there."""
    try:
        return os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return None


def require_file(at: int, name: str, *, owner: int) -> os.stat_result | None:
    """That `name` is an ordinary file of `owner`'s with one name, not writable by others; None when it is not there.

    Raises Refused `odd_file`.
    """
    found = kind(at, name)
    if found is not None:
        _check_file(found, name, owner)
    return found


def read(at: int, name: str, *, owner: int, limit: int) -> bytes | None:
    """All of the ordinary file `name`, at most `limit` bytes; None when it is not there. Raises Refused `odd_file`."""
    if require_file(at, name, owner=owner) is None:
        return None
    try:
        opened = os.open(name, READ_FLAGS, dir_fd=at)
    except OSError as error:
        raise Refused("odd_file", f"{name} could not be opened: {error.strerror}") from error
    with os.fdopen(opened, "rb", buffering=0) as file:
        _check_file(os.fstat(opened), name, owner)
        data = file.read(limit + 1) or b""
    if len(data) > limit:
        raise Refused("odd_file", f"{name} is longer than {limit} bytes")
    return data


def replace(at: int, name: str, data: bytes, *, mode: int = 0o644) -> None:
    """Make `name` hold exactly `data`, on the disk: whoever looks, and whenever, sees the old file or the new one."""
    new = f".{name}.new"
    remove(at, new)
    opened = os.open(new, WRITE_FLAGS, 0o600, dir_fd=at)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(opened, mode)
            os.fsync(opened)
        os.rename(new, name, src_dir_fd=at, dst_dir_fd=at)
    except BaseException:
        remove(at, new)
        raise
    os.fsync(at)


def remove(at: int, name: str) -> None:
    """Take `name` away, whatever it is; that it was not there is as well."""
    try:
        os.unlink(name, dir_fd=at)
    except FileNotFoundError:
        return
    os.fsync(at)


@contextmanager
def locked(at: int, name: str, *, owner: int, create: bool) -> Iterator[None]:
    """The kernel's lock on `name`. Raises Busy, and what `opened` raises."""
    with opened(at, name, owner=owner, create=create) as file:
        take(file)
        yield


@contextmanager
def opened(at: int, name: str, *, owner: int, create: bool = False) -> Iterator[int]:
    """A descriptor of `name`, which nobody but its owner can open: whoever could might keep it locked for ever.

    Raises Refused `odd_file` or `lock_missing`.
    """
    try:
        file = os.open(name, LOCK_FLAGS | (os.O_CREAT if create else 0), 0o600, dir_fd=at)
    except FileNotFoundError as error:
        raise Refused("lock_missing", f"{name} is not there: the installation is not complete") from error
    except OSError as error:
        raise Refused("odd_file", f"{name} could not be opened: {error.strerror}") from error
    try:
        found = os.fstat(file)
        _check_file(found, name, owner)
        if found.st_mode & OTHERS_ANY:
            _odd(name, "can be opened by others than its owner")
        yield file
    finally:
        os.close(file)


def take(file: int, *, patience_seconds: float = 0) -> None:
    """Lock `file`, until it is closed. Raises Busy when somebody else still holds it after `patience_seconds`."""
    give_up_at = time.monotonic() + patience_seconds
    while not _taken(file):
        if time.monotonic() >= give_up_at:
            raise Busy("busy", "another program is at work here")
        time.sleep(TRY_AGAIN_SECONDS)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _step(here: int, part: str, walked: str) -> int:
    try:
        return os.open(part, FOLDER_FLAGS, dir_fd=here)
    except FileNotFoundError as error:
        raise Refused("path_missing", f"{walked} does not exist") from error
    except OSError as error:
        raise Refused("path_unsafe", f"{walked} is a link or no folder: {error.strerror}") from error


def _check(opened: int, path: str, *, owner: int) -> None:
    found = os.fstat(opened)
    if found.st_uid != owner:
        raise Refused("path_unsafe", f"{path} belongs to user id {found.st_uid}, it has to be {owner}")
    if found.st_mode & OTHERS_WRITE:
        raise Refused("path_unsafe", f"{path} can be written by others than its owner")


def _check_file(found: os.stat_result, name: str, owner: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        _odd(name, "is no ordinary file")
    if found.st_nlink != 1:
        _odd(name, "has a second name somewhere")
    if found.st_uid != owner:
        _odd(name, f"belongs to user id {found.st_uid}, it has to be {owner}")
    if found.st_mode & OTHERS_WRITE:
        _odd(name, "can be written by others than its owner")


def _odd(name: str, why: str) -> NoReturn:
    raise Refused("odd_file", f"{name} {why}")
