"""Who holds a volume without naming it: by a folder of it or above it, or by a template that may mean it. Pure."""

from pathlib import PurePosixPath
from posixpath import normpath

# of a service's mount, Docker fills in what stands in these only for each task
TEMPLATE = "{{"


def is_path(source: str) -> bool:
    """Whether a mount's source is a folder of the host: the name of a volume never begins like that."""
    return source.startswith("/")


def upwards(path: str) -> tuple[str, ...]:
    """`path` and every folder above it."""
    # two slashes at the beginning are one to Linux, and something else to POSIX
    plain = PurePosixPath(normpath("/" + path.lstrip("/")))
    return tuple(map(str, (plain, *plain.parents)))


def reaches(source: str, mountpoint: str) -> bool:
    """Whether who mounts `source` sees files of the volume that is kept at `mountpoint`: it is that, in it or above."""
    if not (is_path(source) and is_path(mountpoint)):
        return False
    return upwards(source)[0] in upwards(mountpoint) or upwards(mountpoint)[0] in upwards(source)
