"""Mounts that an engine which was killed left behind."""

import ctypes
import os
from pathlib import Path

MNT_DETACH = 2


def mounted_below(*folders: Path) -> list[Path]:
    """Mount points at or below `folders`, the deepest first."""
    text = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    points = [Path(_unescaped(line.split(" ")[4])) for line in text.splitlines()]
    inside = [point for point in points if any(point.is_relative_to(folder) for folder in folders)]
    return sorted(inside, key=lambda point: len(point.parts), reverse=True)


def unmount_below(*folders: Path) -> None:
    """Detach every mount at or below `folders`. Raises OSError for one that does not go."""
    libc = ctypes.CDLL(None, use_errno=True)
    for point in mounted_below(*folders):
        if libc.umount2(os.fsencode(point), MNT_DETACH) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(point))


def _unescaped(field: str) -> str:
    """A path of mountinfo, where space, tab, newline and backslash stand as three octal digits (proc(5))."""
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(octal, character)
    return field
