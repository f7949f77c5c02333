"""The scheduled look at a host's lanes. It only reads."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from lanes.contracts import Observed
from lanes.listings import Listings
from lanes.looking import observe_fleet
from lanes.models import Lane
from lanes.parts import parts_of
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.schedule.jobs import Job
from launchplane.schedule.jobs import register as register_job

# the hosts of a fleet are due in the same minute: what GitHub said for one of them serves the others
SHARED_FOR: Final = timedelta(seconds=60)
READ_OR_IN_VAIN: Final = ("listing", "directory", "service")


def register() -> None:
    """Make the job known: every host has it, and on one without lanes it does nothing."""
    register_job(
        Job(name="observe-lanes", title="Observe lanes", default_cron="*/5 * * * *", starts_enabled=True, run=_observe)
    )


def _observe(host: Host) -> str:
    """Look at all lanes of `host`. Raises Problem `lanes_not_seen` if one was not seen in full; all are stored."""
    lanes = list(Lane.objects.select_related("host").filter(host=host))
    if not lanes:
        return "No lanes on this host."
    seen = observe_fleet(lanes, asked_by="schedule", listings=_shared.now(timezone.now()))
    if missing := [(lane, why) for lane, observed in seen.items() if (why := _not_seen(observed))]:
        (lane, why), count = missing[0], len(missing)
        raise Problem("lanes_not_seen", f"{count} of {_number(len(lanes))} not seen in full. {lane}: {why}")
    return f"Saw {_number(len(lanes))}: {_states(seen.items())}."


class _Shared:
    """The listings of this minute, in this worker."""

    def __init__(self) -> None:
        self._listings, self._since = Listings(), datetime.min.replace(tzinfo=timezone.get_default_timezone())

    def now(self, now: datetime) -> Listings:
        if not timedelta() <= now - self._since < SHARED_FOR:
            self._listings, self._since = Listings(), now
        return self._listings


_shared = _Shared()


def _not_seen(observed: Observed) -> str:
    return next((observed.unmeasured[part] for part in READ_OR_IN_VAIN if part in observed.unmeasured), "")


def _states(seen: Iterable[tuple[Lane, Observed]]) -> str:
    counted = Counter(_state(lane, observed) for lane, observed in seen)
    return ", ".join(f"{count} {state}" for state, count in counted.most_common())


def _state(lane: Lane, observed: Observed) -> str:
    runner = parts_of(lane.as_desired(), observed).runner
    if runner is None:
        return "not registered"
    return "online" if runner.online else "offline"


def _number(lanes: int) -> str:
    return "1 lane" if lanes == 1 else f"{lanes} lanes"
