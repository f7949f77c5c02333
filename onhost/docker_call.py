"""A request about this host's engine, and the one engine that it may be about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from onhost.docker_part import DockerPart
from onhost.door import Request
from onhost.engine.answers import EngineIdentity
from onhost.engine.calls import Connection
from onhost.engine.errors import HostProblem
from onhost.engine.questions import require_pinned
from onhost.engine.reading import Reader
from onhost.refusals import Refused


@dataclass
class Call(Request):
    """A checked request, and what the administrator says of the engine."""

    docker: DockerPart

    def connect(self, api_version: str, max_answer_bytes: int) -> Connection:
        """A connection to this host's engine: there is no other that could be named."""
        return Connection(self.docker.socket, api_version=api_version, max_answer_bytes=max_answer_bytes)


def take(request: Request) -> Call:
    """The request with that. Raises Refused `no_docker`."""
    if request.host.docker is None:
        raise Refused("no_docker", "this host's administrator says nothing of an engine in host.json")
    return Call(**vars(request), docker=request.host.docker)


def reader(call: Call) -> Reader:
    """Who asks the engine."""
    return Reader(call.connect)


def introduced(call: Call) -> EngineIdentity:
    """Which engine answers: the one that the administrator pinned, if one is. Raises what `engine_problems` does."""
    with engine_problems():
        identity = reader(call).identify()
        if call.docker.engine_id is not None:
            require_pinned(identity, call.docker.engine_id)
    return identity


@contextmanager
def engine_problems() -> Iterator[None]:
    """An engine's problem as a refusal, with its own code."""
    try:
        yield
    except HostProblem as problem:
        raise Refused(problem.code, problem.sentence) from problem
