"""Long answers that somebody takes away piece by piece: so many at once in a process, and none for ever.

Whoever asks for one too many is told when to come back, so that threads are left for the pages where people decide.
"""

import errno
import logging
import weakref
from collections.abc import Iterator
from http import HTTPStatus
from threading import Lock
from time import monotonic
from typing import Final

from launchplane.api.refusing import NotTaken

AT_ONCE: Final = 2  # of the four threads of a process
LONGEST_SECONDS: Final = 30 * 60
RETRY_SECONDS: Final = 15

logger = logging.getLogger(__name__)


class Sending:
    """The pieces of one answer, and the place that it takes while they are sent. It ends with `close`, or with itself.

    Iterating raises BrokenPipeError after LONGEST_SECONDS: a place is nobody's for ever, and rights may have changed.
    """

    def __init__(self, pieces: Iterator[bytes], places: "Places", identity: str) -> None:
        self._pieces, self._until = pieces, monotonic() + LONGEST_SECONDS
        # once, and also for an answer that nobody closes
        self._give_back = weakref.finalize(self, places.give_back, identity)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if monotonic() > self._until:
            logger.warning("An answer that took longer than %s s to take away was ended.", LONGEST_SECONDS)
            raise BrokenPipeError(errno.EPIPE, "it took too long")  # what gunicorn ends a connection for, and no more
        return next(self._pieces)

    def close(self) -> None:
        """Called with the answer that it belongs to, whatever became of it."""
        if (close := getattr(self._pieces, "close", None)) is not None:
            close()
        self._give_back()


class Places:
    """Who is being sent a long answer in this process."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once, self._taken, self._lock = at_once, set[str](), Lock()

    def send(self, pieces: Iterator[bytes], *, identity: str) -> Sending:
        """Take a place. Raises NotTaken: 429 if this identity has one, 503 if all are taken."""
        with self._lock:
            if identity in self._taken:
                sentence = "You are being sent an export already. Take it to its end first, or close the connection."
                raise _later(HTTPStatus.TOO_MANY_REQUESTS, "export_running", sentence)
            if len(self._taken) >= self._at_once:
                sentence = "Others are being sent exports, as many as there may be at once. Come back later."
                raise _later(HTTPStatus.SERVICE_UNAVAILABLE, "exports_busy", sentence)
            self._taken.add(identity)
        return Sending(pieces, self, identity)

    def give_back(self, identity: str) -> None:
        """The place is free again."""
        with self._lock:
            self._taken.discard(identity)


def _later(status: HTTPStatus, code: str, sentence: str) -> NotTaken:
    return NotTaken(status, code, sentence, wait_seconds=RETRY_SECONDS)
