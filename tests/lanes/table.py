"""Every combination of what GitHub, a directory, a unit, a baseline, a grant and a log can say, with the answer."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple, get_args

from lanes.contracts import (
    Action,
    Baseline,
    Condition,
    Desired,
    Directory,
    GithubRunner,
    Grant,
    Listing,
    Observed,
    Service,
    Shape,
)
from lanes.plan.decide import decide
from lanes.plan.scene import Asked, Fleet, Operation, Scene
from tests.lanes.scenes import (
    ANOTHERS,
    EMPTY_DIRECTORY,
    LABELS,
    LANE,
    NO_DIRECTORY,
    NO_SERVICE,
    NOW,
    STOPPED,
    a_baseline,
    a_directory,
    a_grant,
    a_host,
    a_listing,
    a_runner,
    a_service,
    wanted,
)

LISTINGS: dict[str, Listing | None] = {
    "unread": None,
    "a part, it is not in it": a_listing(complete=False, total_count=9, why_incomplete="page 2 did not come"),
    "a part, it is in it": a_listing(a_runner(), complete=False, total_count=9, why_incomplete="page 2 did not come"),
    "none": a_listing(),
    "ours, idle": a_listing(a_runner()),
    "ours, busy": a_listing(a_runner(busy=True)),
    "ours, offline": a_listing(a_runner(online=False)),
    "ours, offline and busy": a_listing(a_runner(online=False, busy=True)),
    "ours, a label missing": a_listing(a_runner(labels=LABELS[:-1])),
    "another's": a_listing(a_runner(id=ANOTHERS, online=False)),
    "two": a_listing(a_runner(), a_runner(id=ANOTHERS, name=LANE.upper())),
    "ours, renamed": a_listing(a_runner(name="renamed")),
}
DIRECTORIES: dict[str, Directory | None] = {
    "unread": None,
    "a link": a_directory(problem="it is a symbolic link"),
    "none": a_directory(**NO_DIRECTORY),
    "empty": a_directory(**EMPTY_DIRECTORY),
    "ours": a_directory(),
    "another's": a_directory(agent_id=ANOTHERS),
}
SERVICES: dict[str, Service | None] = {
    "unread": None,
    "none": a_service(**NO_SERVICE),
    "active": a_service(),
    "active, a job": a_service(workers=1),
    "active, uncounted": a_service(workers=None),
    "active, old text": a_service(ours=False),
    "stopped": a_service(**STOPPED),
    "stopped, uncounted": a_service(**STOPPED, workers=None),
    "activating": a_service(active_state="activating", sub_state="auto-restart", process_user=""),
    "another's": a_service(ours=False, exec_start="/opt/other/run.sh"),
}
BASELINES: dict[str, Baseline | None] = {"unread": None, "ready": a_baseline(), "not ready": a_baseline(disk=False)}
GRANTS: dict[str, tuple[Grant, ...]] = {"none": (), "enough": (a_grant(),), "full": (a_grant(max_lanes=0),)}
ROWS: dict[str, Desired] = {"registered": wanted(), "never registered": wanted(agent_id=None)}
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


class Line(NamedTuple):
    """One combination, and what was said to it. `facts` names the combination."""

    facts: tuple[str, ...]
    scene: Scene
    shape: Shape
    action: Action | None
    verbs: tuple[str, ...]
    codes: tuple[str, ...]

    @property
    def row(self) -> Desired:
        return self.scene.desired

    @property
    def listing(self) -> Listing | None:
        return self.scene.observed.listing

    @property
    def directory(self) -> Directory | None:
        return self.scene.observed.directory

    @property
    def service(self) -> Service | None:
        return self.scene.observed.service

    @property
    def baseline(self) -> Baseline | None:
        return self.scene.observed.baseline

    @property
    def grant(self) -> Grant | None:
        return self.scene.grant

    @property
    def condition(self) -> Condition:
        return self.scene.observed.condition

    @property
    def operation(self) -> Operation:
        return self.scene.asked.operation

    @property
    def runner(self) -> GithubRunner | None:
        """The runner of the row's id, if the listing can be believed."""
        if not believed(self.listing):
            return None
        assert self.listing is not None
        return next((found for found in self.listing.runners if found.id == self.row.agent_id), None)

    @property
    def agent_id(self) -> int | None:
        """What `.runner` says."""
        return self.directory.agent_id if self.directory is not None else None


def believed(listing: Listing | None) -> bool:
    return listing is not None and listing.complete and len(listing.runners) == listing.total_count


@cache
def table() -> tuple[Line, ...]:
    """All of it, made once."""
    return tuple(_lines())


def _lines() -> Iterator[Line]:
    fleets = {
        (row, name): Fleet([a_host()], grants, [ROWS[row]]) for row, (name, grants) in product(ROWS, GRANTS.items())
    }
    for names in product(ROWS, LISTINGS, DIRECTORIES, SERVICES, BASELINES, CONDITIONS):
        row, github, folder, unit, ready, condition = names
        # a row that was never registered differs by its id alone: every log with it would show nothing more
        if row == "never registered" and condition != "none":
            continue
        observed = _observed(github, folder, unit, ready, condition)
        for granted, operation in product(GRANTS, OPERATIONS):
            scene = fleets[row, granted].scene(ROWS[row], observed, Asked(operation))
            found = decide(scene)
            codes = tuple(blocker.code for blocker in found.blockers)
            yield Line((*names, granted, operation), scene, found.case.shape, found.action, found.verbs, codes)


def _observed(github: str, folder: str, unit: str, ready: str, condition: str) -> Observed:
    return Observed.model_validate(
        {
            "lane_name": LANE,
            "listing": LISTINGS[github],
            "directory": DIRECTORIES[folder],
            "service": SERVICES[unit],
            "baseline": BASELINES[ready],
            "condition": condition,
            "unmeasured": {},
            "seen_at": NOW,
        }
    )
