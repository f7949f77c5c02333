"""Who holds a volume without naming it: by its folder or one in it, or by a template that may mean it. Pure.

Whoever mounts a folder of many volumes (a monitor mounts `/`, a backup `/var/lib/docker`) holds none of them by that:
else nothing could ever be retired on such a host.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from posixpath import normpath

# of a service's mount, Docker fills in what stands in these only for each task
TEMPLATE = "{{"
# below a volume's own folder, the `local` driver keeps its files in this one
FILES = "_data"


def is_path(source: str) -> bool:
    """Whether a mount's source is a folder of the host: the name of a volume never begins like that."""
    return source.startswith("/")


def upwards(path: str) -> tuple[str, ...]:
    """`path` and every folder above it."""
    # two slashes at the beginning are one to Linux, and something else to POSIX
    plain = PurePosixPath(normpath("/" + path.lstrip("/")))
    return tuple(map(str, (plain, *plain.parents)))


def own_folder(mountpoint: str) -> str:
    """The highest folder that is this volume's and no other's."""
    files, *above = upwards(mountpoint)
    return above[0] if above and PurePosixPath(files).name == FILES else files


def reaches(source: str, mountpoint: str) -> bool:
    """Whether who mounts `source` holds the volume that is kept at `mountpoint`: it is its folder, or one in it."""
    return is_path(source) and is_path(mountpoint) and own_folder(mountpoint) in upwards(source)
