"""A registry's access log: who asked for manifests and layers, and when. Pure but for reading the file.

The registry of Debian (and Docker's own) writes it in Apache's combined format with `log.accesslog` on.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from hygiene.proof.contracts import MANIFEST_CHECKS, MANIFEST_SECONDS, Budget
from launchplane.problems import Problem, Waits

LINE = re.compile(r'\S+ \S+ \S+ \[([^\]]{20,40})\] "([A-Z]{3,7}) (/v2/\S+) HTTP/[\d.]+" (\d{3}) ')
MANIFEST = re.compile(r"/v2/.+/manifests/[^/]+")
BLOB = re.compile(r"/v2/.+/blobs/[^/]+")
WRITTEN = "%d/%b/%Y:%H:%M:%S %z"


class Asked(NamedTuple):
    """One request that the registry answered."""

    at: datetime
    method: str
    path: str
    status: int

    @property
    def is_manifest_check(self) -> bool:
        """HEAD asks whether a manifest has changed, GET fetches it: either is a check, answered or not."""
        return self.method in ("HEAD", "GET") and MANIFEST.fullmatch(self.path) is not None

    @property
    def is_blob(self) -> bool:
        """A layer or an image's configuration that was fetched, from here or from where a redirect led."""
        return self.method == "GET" and self.status < 400 and BLOB.fullmatch(self.path) is not None


class AccessLog:
    """The log of one registry, and the budget of checks that it is held against. Reads the file anew each time."""

    def __init__(self, path: Path, *, limit: int = MANIFEST_CHECKS, window_seconds: int = MANIFEST_SECONDS) -> None:
        self._path, self._limit, self._window_seconds = path, limit, window_seconds

    def asked(self) -> list[Asked]:
        """Everything so far. Raises Problem `access_log_unreadable`."""
        try:
            return parsed(self._path.read_text(errors="replace").splitlines())
        except OSError as error:
            raise Problem(
                "access_log_unreadable", f"{self._path}: {error.strerror}. No check can be counted."
            ) from None

    def budget(self, now: datetime) -> Budget:
        """What was asked for within the window up to `now`."""
        return budget_of(self.asked(), now, limit=self._limit, window_seconds=self._window_seconds)

    def require_left(self, now: datetime) -> None:
        """Raises Waits `manifest_budget_spent` before a pull that the budget does not cover any more."""
        budget = self.budget(now)
        if not budget.left:
            raise Waits(
                "manifest_budget_spent",
                f"{budget.counted} manifest checks in {budget.window_seconds // 3600} h are all that the registry "
                f"allows ({budget.limit}). Nothing was pulled; try again later.",
            )


def parsed(lines: Iterable[str]) -> list[Asked]:
    """The requests in these lines; a registry writes other lines beside them."""
    found = (LINE.match(line) for line in lines)
    return [
        Asked(at, match[2], match[3].partition("?")[0], int(match[4]))
        for match in found
        if match is not None and (at := _moment(match[1])) is not None
    ]


def budget_of(asked: Sequence[Asked], now: datetime, *, limit: int, window_seconds: int) -> Budget:
    """The manifest checks among `asked` that are no older than the window, and what is left of the limit."""
    since = now - timedelta(seconds=window_seconds)
    counted = sum(one.is_manifest_check and one.at > since for one in asked)
    return Budget(limit=limit, window_seconds=window_seconds, counted=counted, left=max(limit - counted, 0))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, WRITTEN)
    except ValueError:
        return None
