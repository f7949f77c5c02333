"""How full a file system is, counted as `df` counts."""

from __future__ import annotations

import os
from typing import NamedTuple

from onhost.machine.limits import NotMeasured, inside, why


class Disk(NamedTuple):
    """Bytes of one file system; the percentage is of what ordinary users may use, rounded up."""

    path: str
    total_bytes: int
    free_bytes: int
    used_bytes: int
    used_percent: int
    device: int


def read_disk(path: str, *, root: str = "/") -> Disk:
    """Raises NotMeasured when the path can't be looked at or its file system has no size."""
    try:
        counts = os.statvfs(inside(root, path))
        device = os.stat(inside(root, path)).st_dev  # noqa: PTH116  # beside statvfs
    except OSError as error:
        raise NotMeasured(why(error, path)) from error
    used, free = counts.f_blocks - counts.f_bfree, counts.f_bavail
    if used + free <= 0:
        raise NotMeasured(f"{path}: its file system has no size")
    return Disk(
        path=path,
        total_bytes=counts.f_blocks * counts.f_frsize,
        free_bytes=free * counts.f_frsize,
        used_bytes=used * counts.f_frsize,
        used_percent=-(-used * 100 // (used + free)),
        device=device,
    )
