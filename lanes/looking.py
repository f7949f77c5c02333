"""Looking at lanes for a plan, a run or a page: what was seen now or last, with the record, the host and the grant."""

from collections.abc import Sequence

from django.db.models import Q

from lanes import snapshots
from lanes.contracts import Desired, Observed
from lanes.listings import Listings
from lanes.models import Lane, LaneGrant
from lanes.observe import observe
from lanes.plan.scene import DRY_RUN, Asked, Fleet, HostFacts, Scene
from launchplane.hosts.models import Host
from launchplane.problems import Problem

PLANNER = "a plan"


def find_lane(name: str) -> Lane:
    """The lane of that name, with its host. Raises Problem `no_such_lane`."""
    lane = Lane.objects.select_related("host").called(name).first()
    if lane is None:
        raise Problem("no_such_lane", f"There is no lane {name!r}. `manage.py lanes list` shows those there are.")
    return lane


def desired_of(lane: Lane) -> Desired:
    """The lane as its record wants it."""
    return lane.as_desired()


def observe_now(lane: Lane, *, asked_by: str) -> Observed:
    """The lane at GitHub and on its host right now, stored. What could not be read is unmeasured; nothing is raised."""
    return observe_fleet([lane], asked_by=asked_by)[lane]


def observe_fleet(lanes: Sequence[Lane], *, asked_by: str, listings: Listings | None = None) -> dict[Lane, Observed]:
    """Every one of `lanes` right now, each stored: one listing of each scope, whatever the number of lanes."""
    seen = observe(lanes, listings=listings)
    for lane, observed in seen.items():
        snapshots.store(lane, observed, asked_by=asked_by)
    return seen


def scene_now(lane: Lane, asked: Asked = DRY_RUN, *, asked_by: str = PLANNER) -> Scene:
    """A new look at the lane with all that decides on it: its host, its grant, the lanes beside it."""
    observed = observe_now(lane, asked_by=asked_by)
    return scene_of(lane, observed, asked)


def scene_of(lane: Lane, observed: Observed, asked: Asked = DRY_RUN) -> Scene:
    """What decides on the lane now, around an observation that was made before. Three queries."""
    grants = LaneGrant.objects.select_related("host").filter(host=lane.host_id)
    beside = Lane.objects.select_related("host").filter(Q(host=lane.host_id) | Q(name__iexact=lane.name))
    fleet = Fleet(
        [host_facts(lane.host)],
        [grant.as_grant() for grant in grants],
        [row.as_desired() for row in beside],
    )
    return fleet.scene(lane.as_desired(), observed, asked)


def host_facts(host: Host) -> HostFacts:
    """The settings of `host` that decide on its lanes."""
    over = "this machine" if host.connection == Host.Connection.LOCAL else "that host, over ssh"
    return HostFacts(
        name=host.name,
        identity=host.engine_id,
        through=f"Launchplane's programs on {over}",
        approved=host.approved,
        lanes_enabled=host.lanes_enabled,
        runner_roots=tuple(host.runner_roots),
        service_users=frozenset(host.service_users),
    )
