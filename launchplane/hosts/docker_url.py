"""The address of an engine of this machine."""

from launchplane.hosts.errors import EngineUnavailable

UNIX = "unix://"


def socket_path(docker_url: str) -> str:
    """The socket's absolute path. Raises EngineUnavailable for anything that is not `unix:///…`: plain TCP lets
    everybody in who can reach the port.
    """
    path = docker_url.removeprefix(UNIX)
    if not docker_url.startswith(UNIX) or not path.startswith("/") or "\0" in path:
        raise EngineUnavailable(
            "url_not_supported",
            f"{docker_url[:200]!r} is not an address Launchplane uses: only unix:///path/to/docker.sock is, because "
            "plain TCP has no authentication. For another machine add the host with --connection ssh.",
        )
    return path
