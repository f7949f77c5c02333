"""What a lane's plan is made from: the record, one observation, its host, its grant, the lanes beside it. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from lanes.contracts import Desired, Grant, Listing, Observed
from lanes.names import folded
from lanes.parts import Listed

Operation = Literal["plan", "restart", "remove"]


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The settings of a host that decide on its lanes.

    `identity` is what was pinned when the host was added, `through` says by which way it is changed, in words.
    """

    name: str
    identity: str
    through: str
    approved: bool
    lanes_enabled: bool
    runner_roots: tuple[str, ...]
    service_users: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants: to have the lane as its record says ("plan"), to restart it or to remove it.

    A dry run asks for no more. One that `mutates` must bring its idempotency key and the phrase (M34).
    """

    operation: Operation = "plan"
    mutates: bool = False
    idempotency_key: str = ""
    confirmation: str = ""


DRY_RUN = Asked()


@dataclass(frozen=True, slots=True)
class Scene:
    """One lane with all that decides on it.

    `lanes_granted` counts the lanes on record under its grant, itself included; `twins` are other lanes of its name
    and `sharers` other lanes with its user on its host, each in words.
    """

    host: HostFacts
    grant: Grant | None
    lanes_granted: int
    twins: tuple[str, ...]
    sharers: tuple[str, ...]
    desired: Desired
    observed: Observed
    listed: Listed | None
    asked: Asked


class Fleet:
    """All hosts, grants and lanes on record, indexed once: planning many lanes looks nothing up by walking through all.

    `lanes` are the rows of every lane, whether they are planned or not.
    """

    def __init__(self, hosts: Iterable[HostFacts], grants: Iterable[Grant], lanes: Iterable[Desired]) -> None:
        self._hosts = {host.name: host for host in hosts}
        self._grants = {(grant.host_name, folded(grant.scope)): grant for grant in grants}
        self._granted: Counter[tuple[str, str]] = Counter()
        self._named: defaultdict[str, list[Desired]] = defaultdict(list)
        self._users: defaultdict[tuple[str, str], list[Desired]] = defaultdict(list)
        self._listed: dict[int, Listed] = {}
        for lane in lanes:
            self._granted[_grant_key(lane)] += 1
            self._named[folded(lane.lane_name)].append(lane)
            self._users[lane.host_name, lane.service_user].append(lane)

    def scene(self, desired: Desired, observed: Observed, asked: Asked = DRY_RUN) -> Scene:
        """The scene of one lane, on record already or not. Raises KeyError for a host that is not among the hosts."""
        named = self._named.get(folded(desired.lane_name), [])
        users = self._users.get((desired.host_name, desired.service_user), [])
        return Scene(
            host=self._hosts[desired.host_name],
            grant=self._grants.get(_grant_key(desired)),
            lanes_granted=self._granted[_grant_key(desired)] + (desired not in named),
            twins=_others(named, desired),
            sharers=_others(users, desired),
            desired=desired,
            observed=observed,
            listed=self._index(observed.listing),
            asked=asked,
        )

    def _index(self, listing: Listing | None) -> Listed | None:
        """The index of this very listing, which is kept with it: its identity cannot be another's meanwhile."""
        if listing is None:
            return None
        if id(listing) not in self._listed:
            self._listed[id(listing)] = Listed(listing)
        return self._listed[id(listing)]


def _grant_key(lane: Desired) -> tuple[str, str]:
    return lane.host_name, folded(lane.scope)


def _others(lanes: list[Desired], desired: Desired) -> tuple[str, ...]:
    """Those beside it, in words. A second row that is equal to it is another one."""
    rest = list(lanes)
    if desired in rest:
        rest.remove(desired)
    return tuple(f"{lane.lane_name} of {lane.scope} on {lane.host_name}" for lane in rest)
