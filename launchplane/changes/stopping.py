"""Ending early and in order: SIGTERM, a stopping cluster or too long a run let the item in hand be finished."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from launchplane.schedule.stopping import is_stopping

# the queue ends a task after 90 minutes: an item begun just before this, and the last look, end by then
LONGEST_SECONDS = 50 * 60


class Stop:
    """Asked before each step."""

    def __init__(self) -> None:
        self._signalled = False
        self._begun = monotonic()

    def ask(self, *_: object) -> None:
        """End after the item in hand."""
        self._signalled = True

    def why(self) -> str | None:
        """Why no other item may begin, in a sentence; None as long as one may."""
        if self._signalled or is_stopping():
            return "The worker was asked to end."
        if monotonic() - self._begun > LONGEST_SECONDS:
            return f"The run took more than {LONGEST_SECONDS // 60} minutes."
        return None


@contextmanager
def finishing_the_item() -> Iterator[Stop]:
    """Within, SIGTERM and SIGINT only ask to stop. Outside of the main thread signals are not ours to take."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
