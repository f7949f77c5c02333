"""Something that happens in the middle of a run: right when the engine is asked to remove the n-th thing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.faults import EngineSocket, Request


class MeddlingSocket(EngineSocket):
    """Passes everything on, and acts once, just before the first request that `when` is true of."""

    def __init__(self, engine: PrivateEngine, when: Callable[[Request, int], bool], act: Callable[[], object]) -> None:
        super().__init__(upstream=str(engine.socket))
        self._when, self._act = when, act
        self.acted = False

    def answer(self, request, original, client):  # type: ignore[no-untyped-def]
        removals = sum(seen.method == "DELETE" for seen in self.requests)
        if not self.acted and self._when(request, removals):
            self.acted = True
            self._act()
        super().answer(request, original, client)


@contextmanager
def meddling(
    host: Host, engine: PrivateEngine, when: Callable[[Request, int], bool], act: Callable[[], object]
) -> Iterator[MeddlingSocket]:
    """`host` is reached through such a socket."""
    with MeddlingSocket(engine, when, act) as door:
        Host.objects.filter(pk=host.pk).update(docker_url=door.url)
        host.refresh_from_db()
        yield door


def at_removal(number: int) -> Callable[[Request, int], bool]:
    """When the removal of that number (from 1 on) is asked for."""
    return lambda request, before: request.method == "DELETE" and before == number - 1
