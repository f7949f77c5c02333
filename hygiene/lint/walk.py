"""The files below some paths, in a fixed order, bounded; links are not followed, and what cannot be read is told."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hygiene.lint.contracts import Unread
from hygiene.lint.formats.kinds import FileKind, kind_of, may_be_looked_at

LARGEST_BYTES = 16 * 1024 * 1024
DEEPEST, MOST_FILES = 40, 50_000
HEAD_BYTES = 256
NOT_OURS = {".git", ".hg", ".svn"}  # what a version control keeps for itself
MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that is looked at: where it is below its path, how it is read, and its text with plain line ends."""

    path: str
    kind: FileKind
    text: str


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A file that is none of ours."""

    path: str


Entry = TextFile | OtherFile | Unread


def walk(root: Path) -> Iterator[Entry]:
    """Everything below `root`, which may be a file itself, sorted by path. Raises OSError if `root` is not there."""
    if not stat.S_ISDIR(root.stat().st_mode):
        yield _file(root.resolve(), shown(root.name))
        return
    for number, entry in enumerate(_below(root, "", 0)):
        if number >= MOST_FILES:
            yield Unread(path=".", reason=f"there are more than {MOST_FILES} files")
            return
        yield entry


def shown(path: str) -> str:
    """A path as text that can be printed and stored, whatever bytes its name has."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _below(folder: Path, relative: str, depth: int) -> Iterator[Entry]:
    if depth > DEEPEST:
        yield Unread(path=shown(relative), reason=f"it is more than {DEEPEST} folders deep")
        return
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        yield Unread(path=shown(relative) or ".", reason=f"the folder cannot be read: {error.strerror}")
        return
    for entry in entries:
        below = f"{relative}/{entry.name}" if relative else entry.name
        if entry.is_symlink():
            yield _link(Path(entry.path), shown(below), depth)
        elif not entry.is_dir(follow_symlinks=False):
            yield _file(Path(entry.path), shown(below))
        elif entry.name not in NOT_OURS:
            yield from _below(Path(entry.path), below, depth + 1)


def _link(path: Path, name: str, depth: int) -> Entry:
    """A link within the folder leads to what is looked at anyway; any other may lead to shell that is not."""
    root = path.parents[depth].resolve()
    try:
        within = path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        within = False
    return OtherFile(name) if within else _unread(name, "it is a link to nothing, or to what is outside")


def _file(path: Path, name: str) -> Entry:
    try:
        # never waits for a pipe, never follows a link that was put in its place
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(opened, "rb") as file:  # noqa: PTH123  a descriptor
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                return _unread(name, "it is no plain file")
            head = file.read(HEAD_BYTES)
            kind = kind_of(name, _decoded(head).partition("\n")[0])
            if kind is None:
                return OtherFile(name)
            if about.st_size > LARGEST_BYTES:
                return Unread(path=name, reason=f"it is larger than {LARGEST_BYTES // 2**20} MiB")
            data = head + file.read(LARGEST_BYTES)
    except OSError as error:
        return _unread(name, f"it cannot be read: {error.strerror}")
    text = _decoded(data)
    if "\0" in text:
        return Unread(path=name, reason="it is binary")
    return TextFile(name, kind, text.replace("\r\n", "\n").replace("\r", "\n"))


def _decoded(data: bytes) -> str:
    """As UTF-8, or as its byte order mark says; a character that is none does not hide the others."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def _unread(name: str, reason: str) -> Entry:
    return Unread(path=name, reason=reason) if may_be_looked_at(name) else OtherFile(name)
