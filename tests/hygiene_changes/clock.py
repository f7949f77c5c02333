"""The clock of this process, which a test may put forward: the engine's things are some days older then."""

from datetime import datetime, timedelta

from django.utils import timezone

from hygiene.services import observe_host
from launchplane.hosts.models import Host
from tests.faults import EngineSocket
from tests.hygiene_changes.ways import phase_one_done


class Clock:
    """`engine` is the socket through which the host is reached meanwhile; it records what is asked."""

    def __init__(self, engine: EngineSocket) -> None:
        self.engine = engine
        self.ahead = timedelta(0)
        self._now = timezone.now

    def now(self) -> datetime:
        return self._now() + self.ahead


def seen_and_a_day_later(host: Host, clock: Clock) -> None:
    """The ledger has seen everything; then 25 hours pass, and phase one is done."""
    observe_host(host, asked_by="a test")
    clock.ahead = timedelta(hours=25)
    phase_one_done(host)
