"""A runner's package: taken from standard input, checked as a whole, and only then unpacked into the lane's folder.

GitHub's own package holds ordinary files, folders, and links among them. Anything else in an archive is refused before
one byte of it is written: another name for a file, a device, a way out, a set-id bit, the same name twice.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
import stat
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO

from onhost import files
from onhost.refusals import BadRequest

MARK = ".launchplane-package"
ARCHIVE = ".launchplane-archive"
STAGING = ".launchplane-unpack"
MOST_BYTES = 1 << 30
MOST_UNPACKED_BYTES = 8 << 30
MOST_MEMBERS = 100_000
CHUNK = 1 << 20
SET_ID = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
NOT_OTHERS = 0o755
# last, so that a folder with a run.sh has everything that it starts
LAST = "run.sh"


def receive(stdin: BinaryIO, directory: Path, *, size_bytes: int, sha256: str) -> Path:
    """Exactly `size_bytes` of `stdin` as a file whose hash is `sha256`. Raises BadRequest `wrong_package`."""
    archive = directory / ARCHIVE
    archive.unlink(missing_ok=True)
    told, left = hashlib.sha256(), size_bytes
    with os.fdopen(os.open(archive, files.WRITE_FLAGS, 0o600), "wb") as file:
        while left and (chunk := stdin.read(min(CHUNK, left))):
            told.update(chunk)
            file.write(chunk)
            left -= len(chunk)
    if left or stdin.read(1) or told.hexdigest() != sha256:
        archive.unlink()
        raise BadRequest("wrong_package", "the package has another size or hash than the request says")
    return archive


def unpack(archive: Path, directory: Path, *, sha256: str) -> None:
    """All of `archive` into `directory`, the mark with its hash at the very end. Raises BadRequest `bad_package`."""
    staging = directory / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    try:
        _stage(archive, staging)
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        raise BadRequest("bad_package", f"the package is no whole archive: {type(error).__name__}") from error
    finally:
        archive.unlink()
    with files.folder(str(directory), owner=os.geteuid()) as at:
        files.remove(at, MARK)  # from here on it is not the package any more that was there before
        for new in sorted(staging.iterdir(), key=lambda new: (new.name == LAST, new)):
            _put(new, directory / new.name)
        staging.rmdir()
        files.replace(at, MARK, f"{sha256}\n".encode(), mode=0o600)


def check(package: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    """The members of an archive by their place, when each one is harmless. Raises BadRequest `bad_package`."""
    found: dict[str, tarfile.TarInfo] = {}
    unpacked_bytes = 0
    for member in package:
        unpacked_bytes += member.size
        if len(found) >= MOST_MEMBERS or unpacked_bytes > MOST_UNPACKED_BYTES:
            raise _bad(member.name, "is one too many, or too big")
        place = posixpath.normpath(member.name)
        if place == "." and member.isdir():
            continue
        _check_member(member, place)
        if place in found:
            raise _bad(member.name, "is there twice")
        found[place] = member
    _check_parents(found)
    return found


def _check_member(member: tarfile.TarInfo, place: str) -> None:
    if member.name.startswith("/") or ".." in member.name.split("/") or not place.isprintable() or place == ".":
        raise _bad(member.name, "has a name that could lead out")
    if member.mode & SET_ID:
        raise _bad(member.name, "would run as somebody else")
    if not (member.isdir() or member.isreg() or member.issym()) or member.issparse():
        raise _bad(member.name, "is neither file, folder nor link")
    if member.issym() and not _stays_inside(place, member.linkname):
        raise _bad(member.name, "is a link that could lead out")


def _stays_inside(place: str, target: str) -> bool:
    """Whether a link stays below the top. It may go up only at its beginning: later on, that could be from a link."""
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    return not target.startswith("/") and ".." not in parts[ups:] and ups <= place.count("/")


def _check_parents(found: dict[str, tarfile.TarInfo]) -> None:
    for place, member in found.items():
        above = found.get(posixpath.dirname(place))
        if above is not None and not above.isdir():
            raise _bad(member.name, "lies below something that is no folder")


def _stage(archive: Path, staging: Path) -> None:
    with tarfile.open(archive, "r:gz") as package:
        members = check(package)
        staging.mkdir(mode=0o700)
        for place, member in sorted(members.items()):
            _unpack_one(package, member, staging / place)


def _unpack_one(package: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(NOT_OTHERS)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        place.symlink_to(member.linkname)
        return
    source = package.extractfile(member)
    opened = os.open(place, files.WRITE_FLAGS, 0o600)
    with os.fdopen(opened, "wb") as file:
        if source is not None:
            shutil.copyfileobj(source, file, CHUNK)
        os.fchmod(opened, member.mode & NOT_OTHERS)


def _put(new: Path, place: Path) -> None:
    """`new` where an older package may have left something of the same name."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    new.replace(place)


def _bad(name: str, why: str) -> BadRequest:
    return BadRequest("bad_package", f"{name[:100]!r} {why}")
