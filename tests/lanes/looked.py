"""Lanes with looks on record: what the pages and the API read, stored as a look stores it."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from lanes import snapshots
from lanes.contracts import Observed
from lanes.models import Lane
from tests.lanes.scenes import a_directory, a_listing, a_runner, a_service, seen


def looked_at(lane: Lane, observed: Observed | None = None, *, ago: timedelta = timedelta(seconds=30)) -> Observed:
    """The lane as it was seen `ago`: as it must be unless `observed` says otherwise."""
    at = timezone.now() - ago
    made = at_time(observed or seen(), at)
    snapshots.store(lane, made, asked_by="a test")
    return made


def at_time(observed: Observed, at: datetime) -> Observed:
    """The same look, made at another time."""
    listing = observed.listing
    moved = None if listing is None else listing.model_copy(update={"seen_at": at})
    return observed.model_copy(update={"seen_at": at, "listing": moved})


def seen_of(lane: Lane, **different: Any) -> Observed:
    """What is seen of a lane with a name, a folder and a number of its own: as it must be."""
    wanted = lane.as_desired()
    runner = a_runner(id=lane.agent_id or 42, name=lane.name, labels=(*wanted.labels, "Linux", "X64"))
    facts: dict[str, Any] = {
        "lane_name": lane.name,
        "listing": a_listing(runner, scope=lane.scope),
        "directory": a_directory(
            path=wanted.directory,
            owner=lane.service_user,
            agent_id=lane.agent_id,
            agent_name=lane.name,
            github_url=f"https://github.com/{lane.scope}",
        ),
        "service": a_service(
            unit=wanted.systemd_unit_name,
            process_user=lane.service_user,
            working_directory=wanted.directory,
            exec_start=f"{wanted.directory}/run.sh",
        ),
    }
    return seen(**(facts | different))
