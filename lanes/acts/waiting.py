"""Waiting for what comes late: within a total time, by a counted number of looks, never for ever.

How long is given here for all of it. GitHub shows a runner online or offline some seconds after it is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lanes.github.errors import GithubUnreachable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """`looks` at most, with `pause_seconds` between two of them, and none begun when `seconds` have passed."""

    looks: int
    pause_seconds: float

    @property
    def seconds(self) -> float:
        """After so long nothing more is begun, however long each look took."""
        return (self.looks - 1) * self.pause_seconds


# a listener that starts is seen within seconds; one that has to update itself first takes longer
ONLINE = Patience(looks=31, pause_seconds=5)
# GitHub holds a session for about a minute after a listener has gone without a word
OFFLINE = Patience(looks=19, pause_seconds=5)
LISTED = Patience(looks=6, pause_seconds=3)


def until(look: Callable[[], T], holds: Callable[[T], bool], patience: Patience) -> T:
    """What the first look saw that `holds`, or what the last one saw. A look that gets no answer is one of them.

    Raises what a look raises, and GithubUnreachable only from the last one.
    """
    end = time.monotonic() + patience.seconds
    for number in range(1, patience.looks + 1):
        is_last = number == patience.looks or time.monotonic() + patience.pause_seconds > end
        try:
            seen = look()
        except GithubUnreachable:
            if is_last:
                raise
        else:
            if is_last or holds(seen):
                return seen
        time.sleep(patience.pause_seconds)
    raise AssertionError("patience without a look")
