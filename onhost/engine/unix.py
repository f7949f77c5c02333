"""HTTP over an engine's unix socket, by Python's own library.

On a small call the Docker SDK spends as much time as the engine does (measured).
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from functools import partial

from onhost.engine.deadline import Deadline, open_socket

CHUNK_BYTES = 64 * 1024


class Client(http.client.HTTPConnection):
    """Speaks HTTP to whoever listens at the socket `path`; each wait ends with `deadline`."""

    def __init__(self, path: str, deadline: Deadline) -> None:
        super().__init__("localhost")
        self._path, self._deadline = path, deadline

    def connect(self) -> None:
        """Raises OSError."""
        self.sock = open_socket(self._path, self._deadline)


def chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The whole answer. Raises IncompleteRead when less came than was announced: the library itself says nothing."""
    yield from iter(partial(response.read, CHUNK_BYTES), b"")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
