"""Something that happens in the middle of a run: right when the engine is asked to remove the n-th thing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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


def answered_by(host: Host, url: str) -> None:
    """From now on `url` answers at the host's address: what was approved was approved for that address."""
    address = Path(host.docker_url.removeprefix("unix://"))
    assert address.is_symlink()
    address.unlink()
    address.symlink_to(url.removeprefix("unix://"))


@contextmanager
def meddling(
    host: Host, engine: PrivateEngine, when: Callable[[Request, int], bool], act: Callable[[], object]
) -> Iterator[MeddlingSocket]:
    """Such a socket answers at the address of `host`."""
    with MeddlingSocket(engine, when, act) as door:
        answered_by(host, door.url)
        yield door


def at_removal(number: int) -> Callable[[Request, int], bool]:
    """When the removal of that number (from 1 on) is asked for."""
    return lambda request, before: request.method == "DELETE" and before == number - 1
