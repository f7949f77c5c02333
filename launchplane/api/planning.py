"""A program's wish to have something planned: what may be asked for, whether it may, and waiting for the worker.

A plan is a dry-run. Nothing here asks for approval, approves or applies.
"""

from http import HTTPStatus
from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, WithJsonSchema

from lanes.kinds import kind_by_last_look
from lanes.models import Lane
from launchplane.access.actions import Action
from launchplane.access.callers import Caller
from launchplane.api.evidence_in_shown import body
from launchplane.api.refusing import NotTaken
from launchplane.changes import plan_runs, records
from launchplane.changes.kinds import all_kinds
from launchplane.changes.models import PlanRun
from launchplane.hosts.models import Host
from launchplane.hosts.services import hosts_called
from launchplane.problems import Problem, Refused

RETIRE: Final = "hygiene.retire"
MOST_OPEN: Final = 5
# of the four threads of a process one may wait for a worker, so that the pages where people decide have theirs
AT_ONCE: Final = 1
AT_MOST_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 5

_places = BoundedSemaphore(AT_ONCE)


def routine_kinds() -> list[str]:
    """The kinds that take no items: a schedule may run them, and people may ask for each once."""
    return sorted(kind.name for kind in all_kinds().values() if kind.authority == "standing")


def _routine(name: str) -> str:
    if name not in routine_kinds():
        raise ValueError(f"there is no such kind; known are {', '.join([*routine_kinds(), RETIRE])}")
    return name


Slug = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._-]{0,63}$")]
RoutineKind = Annotated[
    str,
    AfterValidator(_routine),
    WithJsonSchema({"type": "string", "enum": ["hygiene.aged", "hygiene.build-cache", "hygiene.dangling"]}),
]
Item = Annotated[str, Field(min_length=1, max_length=300, description="`image:TAG`, `volume:NAME`, …")]


class Wish(BaseModel):
    """What somebody may have planned."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanRoutine(Wish):
    """Plan what a host's bounds let go."""

    kind: RoutineKind
    host: Slug


class PlanRetirement(Wish):
    """Plan the retirement of these items of a host, and of no others (H39)."""

    kind: Literal["hygiene.retire"]
    host: Slug
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=1000)]


class PlanLane(Wish):
    """Plan what a lane's record calls for, its restart, or its removal."""

    lane: Slug
    operation: Literal["plan", "restart", "remove"]


def _which(said: Any) -> str:
    if isinstance(said, dict) and ("lane" in said or "operation" in said):
        return "lane"
    return "retirement" if isinstance(said, dict) and (said.get("kind") == RETIRE or "items" in said) else "routine"


PlanWish = Annotated[
    Annotated[PlanRoutine, Tag("routine")]
    | Annotated[PlanRetirement, Tag("retirement")]
    | Annotated[PlanLane, Tag("lane")],
    Discriminator(_which),
]
WISH: Final[TypeAdapter[PlanRoutine | PlanRetirement | PlanLane]] = TypeAdapter(PlanWish)
DESCRIBED: Final = body(
    WISH.json_schema(),
    {"kind": "hygiene.build-cache", "host": "ci-1"},
    {"kind": "hygiene.retire", "host": "ci-1", "items": ["image:acme/website:18-nightly", "volume:old-cache"]},
    {"lane": "website", "operation": "restart"},
)


def queue(wish: PlanRoutine | PlanRetirement | PlanLane, *, caller: Caller, scope: str) -> PlanRun:
    """Have a worker plan it, or find what was asked for under the same key.

    Raises Refused `not_permitted`, Problem `no_such_host` or `no_such_lane`, each on record; NotTaken (429) if this
    caller has too many plans under way; what `queue_for_program` raises.
    """
    by = caller.principal
    kind, host, asked = _asked(wish, caller)
    if by.user is not None:
        plan_runs.require_right(by, kind, host)
    if plan_runs.of_program(scope) is None and plan_runs.open_runs(by.id) >= MOST_OPEN:
        sentence = f"{MOST_OPEN} plans are under way for you. Wait for them first."
        raise NotTaken(HTTPStatus.TOO_MANY_REQUESTS, "too_many_plans", sentence, wait_seconds=RETRY_SECONDS)
    return plan_runs.queue_for_program(kind, host, by=by, scope=scope, asked=asked)


def wait_for(run: PlanRun) -> PlanRun:
    """`run`, when it has ended or the time is over; at once where others are waiting already."""
    if not run.is_open or not _places.acquire(blocking=False):
        return run
    try:
        until = monotonic() + AT_MOST_SECONDS
        while run.is_open and monotonic() < until:
            sleep(POLL_SECONDS)
            run.refresh_from_db()
    finally:
        _places.release()
    return run


def _asked(wish: PlanRoutine | PlanRetirement | PlanLane, caller: Caller) -> tuple[str, Host, dict[str, Any]]:
    """The kind, the host, and what its planner is given."""
    if isinstance(wish, PlanLane):
        lane = _lane(wish.lane, caller)
        return kind_by_last_look(lane, wish.operation), lane.host, {"lane": lane.name}
    asked = {"items": list(dict.fromkeys(wish.items))} if isinstance(wish, PlanRetirement) else {}
    return wish.kind, _host(wish.host, caller), asked


def _host(name: str, caller: Caller) -> Host:
    found = hosts_called(name)
    host = caller.hosts(Action.CHANGE_REQUEST, found).first()
    if host is None:
        raise _denied(found.first(), caller, Problem("no_such_host", "There is no such host, or you may not see it."))
    return host


def _lane(name: str, caller: Caller) -> Lane:
    lane = Lane.objects.called(name).select_related("host").first()
    hosts = Host.objects.filter(pk=lane.host_id) if lane is not None else Host.objects.none()
    if lane is None or not caller.hosts(Action.CHANGE_REQUEST, hosts).exists():
        missing = Problem("no_such_lane", "There is no such lane, or you may not see it.")
        raise _denied(hosts.first(), caller, missing)
    return lane


def _denied(host: Host | None, caller: Caller, missing: Problem) -> Problem:
    """What to say of a host on which nothing may be asked for: that, to whoever may see it. Else it is not there."""
    if host is None:
        return missing
    sees = caller.hosts(Action.CHANGE_READ, Host.objects.filter(pk=host.pk)).exists()
    refused = Refused("not_permitted", f"You may not plan changes of {host.name}. An administrator can allow it.")
    problem = records.deny_of_host("change.denied", host, refused, by=caller.principal, key=host.name, wanted="plan")
    return problem if sees else missing
