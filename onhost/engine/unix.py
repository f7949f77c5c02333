"""A connection to an engine by Python's own library, over the engine's unix socket."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from functools import partial

from onhost.engine import calls
from onhost.engine.deadline import Deadline, open_socket

CHUNK_BYTES = 64 * 1024


class Connection(calls.Connection):
    """A connection to the socket at `path`."""

    def __init__(self, path: str, *, api_version: str, max_answer_bytes: int) -> None:
        super().__init__(path, api_version=api_version, max_answer_bytes=max_answer_bytes)
        self._deadline = Deadline(0)
        self._client = _Client(path, self._deadline)

    @property
    def sockets(self) -> int:
        return self._deadline.connections

    def close(self) -> None:
        self._client.close()

    def _send(self, method: str, target: str, body: str | None, seconds: float) -> tuple[int, bytes]:
        self._deadline.restart(seconds)
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            self._client.request(method, target, body=body, headers=headers)
            response = self._client.getresponse()
            return response.status, self._bounded(_chunks(response))
        except BaseException:
            # what is left of this answer must not be taken for the next one
            self._client.close()
            raise


class _Client(http.client.HTTPConnection):
    def __init__(self, path: str, deadline: Deadline) -> None:
        super().__init__("localhost")
        self._path, self._deadline = path, deadline

    def connect(self) -> None:
        self.sock = open_socket(self._path, self._deadline)


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The whole answer. Raises IncompleteRead when less came than was announced: the library itself says nothing."""
    yield from iter(partial(response.read, CHUNK_BYTES), b"")
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
