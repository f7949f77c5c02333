"""A request that is about one lane: what it says of the lane has to be what the administrator wrote, to the letter."""

from __future__ import annotations

from dataclasses import dataclass

from onhost.config import HostConfig, Lane
from onhost.door import Request
from onhost.refusals import Refused

FIELDS = frozenset({"lane", "user", "root", "unit"})


@dataclass
class Call(Request):
    """A checked request, and the lane of host.json that is meant."""

    lane: Lane

    @property
    def github(self) -> str:
        """The server that this host's runners are registered at."""
        return self.host.github

    def about(self) -> dict[str, object]:
        return {"lane": self.lane.name}


def take(request: Request) -> Call:
    """The request with its lane. Raises Refused `unknown_lane`, `wrong_user`, `wrong_root`, `wrong_unit` (M54, M59)."""
    told = request.more
    lane = named(told["lane"], request.host)
    for field, expected in (("user", lane.user), ("root", lane.root), ("unit", lane.unit)):
        if told[field] != expected:
            raise Refused(f"wrong_{field}", f"this lane's {field} is {expected}")
    return Call(**vars(request), lane=lane)


def named(name: object, host: HostConfig) -> Lane:
    """The lane of that name. Raises Refused `unknown_lane`."""
    lane = host.lanes.get(name) if isinstance(name, str) else None
    if lane is None:
        raise Refused("unknown_lane", "this host's administrator has no such lane in host.json")
    return lane
