"""What the log files of containers take on disk. Only sizes: no line of a log is ever read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from onhost.machine.limits import Limits, NotMeasured, inside, why

BLOCK_BYTES = 512


class Log(NamedTuple):
    """All log files of one container, current and rotated."""

    container_id: str
    allocated_bytes: int


def read_logs(docker_root: str, limits: Limits, *, root: str = "/") -> tuple[Log, ...]:
    """One entry for each container folder, by id. Raises NotMeasured with the path that can't be read."""
    folder = Path(inside(root, docker_root)) / "containers"
    try:
        ids = sorted(name for name in os.listdir(folder) if re.fullmatch(r"[0-9a-f]{64}", name))  # noqa: PTH208
    except OSError as error:
        raise NotMeasured(why(error, f"{docker_root}/containers")) from error
    return tuple(Log(container_id, _log_bytes(folder / container_id, limits)) for container_id in ids)


def _log_bytes(container: Path, limits: Limits) -> int:
    """The `json-file` driver's logs lie beside the container's files, the `local` driver's in a folder."""
    json_files = _allocated(container, r"[0-9a-f]{64}-json\.log.*", limits)
    return json_files + _allocated(container / "local-logs", r".*", limits)


def _allocated(folder: Path, pattern: str, limits: Limits) -> int:
    return sum(
        found.st_blocks * BLOCK_BYTES
        for name, found in _files(folder, limits)
        if re.fullmatch(pattern, name) and stat.S_ISREG(found.st_mode)
    )


def _files(folder: Path, limits: Limits) -> Iterator[tuple[str, os.stat_result]]:
    """Files that are there; a container that is removed meanwhile has none."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                limits.step(str(folder))
                yield entry.name, entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise NotMeasured(why(error, str(folder))) from error
