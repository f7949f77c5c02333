"""HTTP over a unix socket by the Docker SDK, with a total deadline."""

import docker
import docker.errors
from docker.transport.unixconn import UnixHTTPAdapter, UnixHTTPConnection, UnixHTTPConnectionPool

from launchplane.hosts.docker_url import UNIX, socket_path
from launchplane.hosts.errors import EngineUnavailable
from onhost.engine.deadline import Deadline, open_socket


def connect(docker_url: str, *, api_version: str, deadline: Deadline) -> docker.APIClient:
    """An SDK client bound to this one socket and API version. It reads no proxies, no .netrc and no context.

    Raises EngineUnavailable for any address but `unix://`.
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


class _DeadlineConnection(UnixHTTPConnection):  # type: ignore[misc]  # the SDK has no types
    def __init__(self, base_url: str, unix_socket: str, deadline: Deadline) -> None:
        super().__init__(base_url, unix_socket)
        self._deadline = deadline

    def connect(self) -> None:
        self.sock = open_socket(self.unix_socket, self._deadline)


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
