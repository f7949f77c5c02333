"""The five removals on an engine of this machine, each spent from what the running change declared."""

from launchplane.hosts.boundary import spend
from launchplane.hosts.docker_url import socket_path
from onhost.engine.calls import Connection
from onhost.engine.removing import MAX_ANSWER_BYTES, PRUNE_SECONDS, REMOVE_SECONDS, EngineRemover


class LocalRemover(EngineRemover):
    """Implements `Remover` for a `unix://` address."""

    def __init__(
        self,
        docker_url: str,
        *,
        api_version: str,
        engine_id: str,
        remove_seconds: float = REMOVE_SECONDS,
        prune_seconds: float = PRUNE_SECONDS,
    ) -> None:
        def connect() -> Connection:
            return Connection(socket_path(docker_url), api_version=api_version, max_answer_bytes=MAX_ANSWER_BYTES)

        super().__init__(
            connect,
            api_version=api_version,
            engine_id=engine_id,
            spend=spend,
            remove_seconds=remove_seconds,
            prune_seconds=prune_seconds,
        )
