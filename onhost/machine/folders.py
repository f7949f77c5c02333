"""Sizes of folder trees, and what a runner leaves in its folder. Follows no symbolic link, leaves no file system."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from onhost.machine.limits import Limits, NotMeasured, inside, why

MAX_DEPTH = 256
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
BLOCK_BYTES = 512


class Size(NamedTuple):
    """A tree: what its files say (`apparent`), what the disk holds with its folders (`allocated`), hard links once."""

    path: str
    apparent_bytes: int
    allocated_bytes: int
    files: int


class Runners(NamedTuple):
    """What the runners under one root folder leave behind."""

    path: str
    work: tuple[Size, ...]
    diagnostics: tuple[Size, ...]
    superseded: tuple[Size, ...]


def read_runners(path: str, limits: Limits, *, root: str = "/") -> Runners:
    """Every runner directly under `path`, and `path` itself if it is one. Raises NotMeasured."""
    folder = Path(inside(root, path))
    try:
        runners = [folder, *sorted(Path(entry) for entry in _folders(folder))]
        return Runners(
            path=path,
            work=_sizes([runner / "_work" for runner in runners], limits, root),
            diagnostics=_sizes([runner / "_diag" for runner in runners], limits, root),
            superseded=_sizes([old for runner in runners for old in superseded(runner)], limits, root),
        )
    except OSError as error:
        raise NotMeasured(why(error, error.filename or path)) from error


def superseded(runner: Path) -> list[Path]:
    """`bin.X` and `externals.X` older than the one that the link `bin` or `externals` names.

    A newer one is an update under way; without a link nothing is known to be old.
    """
    return [old for kind in ("bin", "externals") for old in _older_than_linked(runner, kind)]


def measure(path: str, limits: Limits, *, named: str | None = None) -> Size:
    """The size of one tree. What vanishes meanwhile is not counted; what can't be read raises NotMeasured."""
    named = named or path
    try:
        tree = os.open(path, FOLDER)
    except OSError as error:
        raise NotMeasured(why(error, named)) from error
    return _Walk(named, limits).measured(tree)


class _Walk:
    """One walk over a tree by folder descriptors, so that no renamed or swapped folder leads it elsewhere."""

    def __init__(self, named: str, limits: Limits) -> None:
        self._named = named
        self._limits = limits
        self._seen: set[int] = set()
        self._apparent = self._allocated = self._files = 0

    def measured(self, tree: int) -> Size:
        try:
            top = os.fstat(tree)
            self._device = top.st_dev
            self._allocated = top.st_blocks * BLOCK_BYTES
        except BaseException:
            os.close(tree)
            raise
        self._enter(tree, self._named, 0)
        return Size(self._named, self._apparent, self._allocated, self._files)

    def _enter(self, folder: int, named: str, depth: int) -> None:
        try:
            if depth > MAX_DEPTH:
                raise NotMeasured(f"{self._named}: folders are nested deeper than {MAX_DEPTH}")
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._limits.step(self._named)
                    self._count(folder, entry.name, f"{named}/{entry.name}", depth)
        except OSError as error:
            raise NotMeasured(why(error, named)) from error
        finally:
            os.close(folder)

    def _count(self, folder: int, name: str, named: str, depth: int) -> None:
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if found.st_dev != self._device:
                return
            inner = os.open(name, FOLDER, dir_fd=folder) if stat.S_ISDIR(found.st_mode) else None
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise NotMeasured(why(error, named)) from error
        self._add(found)
        if inner is not None:
            self._enter(inner, named, depth + 1)

    def _add(self, found: os.stat_result) -> None:
        is_folder = stat.S_ISDIR(found.st_mode)
        if not is_folder and found.st_nlink > 1:
            if found.st_ino in self._seen:
                return
            self._seen.add(found.st_ino)
        self._allocated += found.st_blocks * BLOCK_BYTES
        if not is_folder:
            self._apparent += found.st_size
            self._files += 1


def _folders(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from (entry.path for entry in entries if entry.is_dir(follow_symlinks=False))


def _sizes(folders: list[Path], limits: Limits, root: str) -> tuple[Size, ...]:
    prefix = "" if root == "/" else str(Path(root))
    named = {str(folder): str(folder)[len(prefix) :] for folder in folders}
    return tuple(measure(path, limits, named=name) for path, name in named.items() if _is_folder(Path(path), name))


def _is_folder(path: Path, named: str) -> bool:
    """Raises NotMeasured for a link: what is behind it takes room somewhere, and nothing is not its size."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISLNK(mode):
        raise NotMeasured(f"{named} is a symbolic link; not followed")
    return stat.S_ISDIR(mode)


def _older_than_linked(runner: Path, kind: str) -> list[Path]:
    link = runner / kind
    current = _version(os.readlink(link), kind) if link.is_symlink() else None  # noqa: PTH115  # as text
    if current is None:
        return []
    versions = {path: _version(path, kind) for path in runner.glob(f"{kind}.*")}
    return sorted(Path(path) for path, version in versions.items() if version is not None and version < current)


def _version(path: str | Path, kind: str) -> tuple[int, ...] | None:
    match = re.fullmatch(rf"{kind}\.(\d{{1,9}}(?:\.\d{{1,9}}){{1,3}})", Path(path).name)
    return tuple(int(part) for part in match[1].split(".")) if match else None
