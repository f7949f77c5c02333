"""`buildctl prune` in the words of each version. Pure.

BuildKit 0.16 knows one bound (`--keep-storage`); from 0.17 on that one is the maximum, and `--keep-storage-min` what
always stays (recorded: `buildctl prune --help`). Which of the two a builder speaks is read off its own help.
"""

from __future__ import annotations

import json

from onhost.engine.errors import HostProblem
from onhost.engine.removals import PruneBounds

MEGABYTE = 1_000_000  # buildctl multiplies what it is given by this


def prune_arguments(bounds: PruneBounds, help_text: str) -> tuple[str, ...]:
    """The fixed command with its bounds. Raises HostProblem `floor_ignored` for a buildctl that knows no floor."""
    if "--keep-storage " not in help_text or "--keep-duration" not in help_text:
        raise HostProblem(
            "floor_ignored", "This builder's buildctl knows no bound for what must stay, so nothing was pruned."
        )
    start = ("buildctl", "prune", "--keep-duration", f"{bounds.min_age_seconds}s")
    if "--keep-storage-min " in help_text:
        most = () if bounds.max_bytes is None else ("--keep-storage", _megabytes(bounds.max_bytes))
        return (*start, "--keep-storage-min", _megabytes(bounds.keep_bytes), *most, "--format", "{{json .}}")
    keep = max(bounds.keep_bytes, bounds.max_bytes or 0)
    return (*start, "--keep-storage", _megabytes(keep), "--format", "{{json .}}")


def prune_result(printed: bytes) -> tuple[int | None, tuple[str, ...]]:
    """Bytes freed and the ids of the records, from one JSON line for each; None bytes if a line cannot be read."""
    freed, records = 0, []
    for line in printed.splitlines():
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            freed += int(record["size"])
            records.append(str(record["id"]))
        except (ValueError, KeyError, TypeError):
            return None, tuple(records)
    return freed, tuple(records)


def _megabytes(size_bytes: int) -> str:
    """Rounded up, so that a floor is never lower than it was meant."""
    return str(-(-size_bytes // MEGABYTE))
