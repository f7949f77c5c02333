"""The Docker engine of this machine, through its unix socket. It only looks."""

from launchplane.hosts.docker_url import socket_path
from onhost.engine.calls import Connection
from onhost.engine.reading import Limits, Reader


class LocalEngine(Reader):
    """Implements `Engine` for a `unix://` address."""

    def __init__(self, docker_url: str, *, limits: Limits | None = None) -> None:
        def connect(api_version: str, max_answer_bytes: int) -> Connection:
            return Connection(socket_path(docker_url), api_version=api_version, max_answer_bytes=max_answer_bytes)

        super().__init__(connect, limits=limits)
