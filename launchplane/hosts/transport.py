"""HTTP over a unix socket with a total deadline: an engine that drips one byte a second can't hold a call open."""

import socket
import time
from typing import Any

import docker
import docker.errors
from docker.transport.unixconn import UnixHTTPAdapter, UnixHTTPConnection, UnixHTTPConnectionPool

from launchplane.hosts.errors import EngineUnavailable

UNIX = "unix://"


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


def connect(docker_url: str, *, api_version: str, deadline: Deadline) -> docker.APIClient:
    """An SDK client bound to this one socket and API version. It reads no proxies, no .netrc and no context.

    Raises EngineUnavailable for any address but `unix://`: plain TCP lets everybody in who can reach the port.
    """
    path = socket_path(docker_url)
    try:
        client = docker.APIClient(base_url=f"{UNIX}{path}", version=api_version)
    except docker.errors.DockerException as error:
        raise EngineUnavailable(
            "client_configuration",
            f"The Docker client's configuration can't be read ({error}). Repair config.json of this user.",
        ) from error
    client.trust_env = False
    client.headers["Accept-Encoding"] = "identity"
    client.mount("http+docker://", _DeadlineAdapter(f"http+unix://{path}", deadline))
    return client


def pool_of(client: docker.APIClient) -> Any:
    """The one pool of sockets (urllib3's) behind a client from `connect`; its waits end with that client's deadline."""
    return client.get_adapter("http+docker://").get_connection("")


def socket_path(docker_url: str) -> str:
    """The socket's absolute path. Raises EngineUnavailable for anything that is not `unix:///…`."""
    path = docker_url.removeprefix(UNIX)
    if not docker_url.startswith(UNIX) or not path.startswith("/") or "\0" in path:
        raise EngineUnavailable(
            "url_not_supported",
            f"{docker_url[:200]!r} is not an address Launchplane uses: only unix:///path/to/docker.sock is, because "
            "plain TCP has no authentication. For another machine add the host with --connection ssh.",
        )
    return path


class _DeadlineSocket(socket.socket):
    """Each wait lasts until the deadline, not a fresh timeout."""

    deadline: Deadline

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        self.settimeout(self.deadline.remaining())
        return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.settimeout(self.deadline.remaining())
        super().sendall(data, flags)


class _DeadlineConnection(UnixHTTPConnection):  # type: ignore[misc]  # the SDK has no types
    def __init__(self, base_url: str, unix_socket: str, deadline: Deadline) -> None:
        super().__init__(base_url, unix_socket)
        self._deadline = deadline

    def connect(self) -> None:
        self._deadline.connections += 1
        sock = _DeadlineSocket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.deadline = self._deadline
        try:
            sock.settimeout(self._deadline.remaining())
            sock.connect(self.unix_socket)
        except OSError:
            sock.close()
            raise
        self.sock = sock


class _DeadlinePool(UnixHTTPConnectionPool):  # type: ignore[misc]  # the SDK has no types
    def __init__(self, base_url: str, path: str, deadline: Deadline) -> None:
        super().__init__(base_url, path, maxsize=1)
        self._deadline = deadline

    def _new_conn(self) -> _DeadlineConnection:
        return _DeadlineConnection(self.base_url, self.socket_path, self._deadline)


class _DeadlineAdapter(UnixHTTPAdapter):  # type: ignore[misc]  # the SDK has no types
    """One pool for all paths, so that a thousand inspections take one connection (the SDK keeps one for each URL)."""

    def __init__(self, url: str, deadline: Deadline) -> None:
        super().__init__(url)
        self._pool = _DeadlinePool(url, self.socket_path, deadline)

    def get_connection(self, url: str, proxies: object = None) -> _DeadlinePool:  # requests' signature
        return self._pool

    def close(self) -> None:
        super().close()
        self._pool.close()
