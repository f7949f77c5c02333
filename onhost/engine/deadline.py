"""A total deadline for a socket: an engine that drips one byte a second can't hold a call open."""

from __future__ import annotations

import socket
import time
from typing import Any


class Deadline:
    """A moment that may be set anew before each call; every wait on the socket lasts until then at most.

    `connections` counts the sockets that were opened under it: at the other end of the next may be somebody else.
    """

    def __init__(self, seconds: float) -> None:
        self.connections = 0
        self.restart(seconds)

    def restart(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


class DeadlineSocket(socket.socket):
    """Each wait lasts until the deadline, not a fresh timeout."""

    deadline: Deadline

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        self.settimeout(self.deadline.remaining())
        return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(self.deadline.remaining())
        super().sendall(data, flags)


def open_socket(path: str, deadline: Deadline) -> DeadlineSocket:
    """A connection to the unix socket `path`. Raises OSError."""
    deadline.connections += 1
    sock = DeadlineSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.deadline = deadline
    try:
        sock.settimeout(deadline.remaining())
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock
