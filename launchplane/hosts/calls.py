"""The Docker SDK's connection to an engine of this machine."""

from contextlib import closing
from typing import Any, Final

import urllib3.exceptions

from launchplane.hosts.transport import connect, pool_of, socket_path
from onhost.engine import calls
from onhost.engine.deadline import Deadline

# the answer is read here, bounded; a call is made once and nowhere else; the deadline is the socket's own
UNREAD: Final[dict[str, Any]] = {"preload_content": False, "retries": False, "redirect": False, "timeout": None}


class Connection(calls.Connection):
    """A connection to a `unix://` address."""

    failures = (urllib3.exceptions.HTTPError, OSError)

    def __init__(self, docker_url: str, *, api_version: str, max_answer_bytes: int) -> None:
        super().__init__(socket_path(docker_url), api_version=api_version, max_answer_bytes=max_answer_bytes)
        self._deadline = Deadline(0)
        self._client = connect(docker_url, api_version=api_version, deadline=self._deadline)
        self._pool = pool_of(self._client)

    @property
    def sockets(self) -> int:
        return self._deadline.connections

    def close(self) -> None:
        self._client.close()

    def _send(self, method: str, target: str, body: str | None, seconds: float) -> tuple[int, bytes]:
        """Not through the session of `requests`: on a small call it spends more time than the engine (measured)."""
        self._deadline.restart(seconds)
        headers = dict(self._client.headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        response = self._pool.urlopen(method, target, body=body, headers=headers, **UNREAD)
        with closing(response):
            return response.status, self._bounded(response.stream(65536, decode_content=False))
