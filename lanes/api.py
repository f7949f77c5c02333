"""`/v1/lanes…`: lanes and what was last seen of each, and whether product repositories can rely on one (M94).

Nothing here looks at a host or at GitHub, and nothing changes anything. A lane of a host that one may not see is
exactly like one that does not exist.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from lanes import stored
from lanes.contracts import Baseline, Condition, Desired, Directory, GithubRunner, Service, Shape
from lanes.models import Lane, LaneQuerySet
from lanes.parts import Folder, Parts, Registration, Unit, parts_of
from lanes.shapes import shape_from
from launchplane.access.actions import Action
from launchplane.access.callers import caller_of
from launchplane.changes.contracts import Gate
from launchplane.hosts.models import Host
from launchplane.problem_documents import ProblemDocument
from launchplane.problems import Problem

ERRORS: dict[int, type[BaseModel]] = dict.fromkeys((401, 403, 404, 422), ProblemDocument)

router = Router()


class LaneSummary(BaseModel):
    """A lane in a list. What nobody has seen yet, or nobody could read, is null."""

    name: str
    host: str
    scope: str
    managed: bool
    shape: Shape | None
    condition: Condition | None
    online: bool | None
    busy: bool | None
    seen_at: datetime | None


class LaneList(BaseModel):
    """A page of lanes by name; `next_after` is the cursor of the next page, null on the last."""

    lanes: list[LaneSummary]
    next_after: str | None


class SeenLane(BaseModel):
    """What the last look saw, place by place. A part that is null was not read, and `unmeasured` says why.

    `cause` is why it is not at work, in a sentence; empty where nothing says anything against it.
    """

    registration: Registration
    directory_state: Folder
    service_state: Unit
    why: Mapping[str, str]
    runner: GithubRunner | None
    directory: Directory | None
    service: Service | None
    baseline: Baseline | None
    control_path: bool | None
    cause: str
    unmeasured: Mapping[str, str]


class LaneDetail(LaneSummary):
    """One lane: what its record wants, beside what was last seen; `never_seen` says why nothing is known of it."""

    desired: Desired
    observed: SeenLane | None
    never_seen: str


class Proof(BaseModel):
    """One of the five proofs of M94. Unknown counts as closed; `link` leads to where its evidence is shown."""

    name: str
    state: Literal["open", "closed", "unknown"]
    reason: str
    link: str


class ReadinessNow(BaseModel):
    """Whether a lane can be relied on now: `is_open` only if all five proofs are.

    They rest on what was seen at `seen_at`; what is older than `at_most_old_seconds`, or from the future, proves
    nothing.
    """

    lane: str
    host: str
    is_open: bool
    seen_at: datetime | None
    at_most_old_seconds: int
    proofs: list[Proof]


class LaneQuery(BaseModel):
    """Keyset pagination by name."""

    after: str = Field("", max_length=64, pattern=r"^[a-z0-9._-]*$")
    limit: int = Field(100, ge=1, le=100)


@router.get("/lanes", response={200: LaneList, **ERRORS}, summary="The lanes that you may see")
def lanes(request: HttpRequest, query: Query[LaneQuery]) -> LaneList:
    found = _lanes(request).filter(name__gt=query.after).select_related("host").order_by("name")
    page = list(found[: query.limit + 1])
    shown = page[: query.limit]
    looks = stored.last_looks(shown)
    return LaneList(
        lanes=[LaneSummary.model_validate(_summary(lane, looks[lane.pk])) for lane in shown],
        next_after=shown[-1].name if len(page) > len(shown) else None,
    )


@router.get("/lanes/{name}", response={200: LaneDetail, **ERRORS}, summary="One lane: wanted, and last seen")
def lane(request: HttpRequest, name: str) -> LaneDetail:
    found = _lane(request, name)
    seen = stored.last_look(found)
    more = {"desired": found.as_desired(), "observed": _seen(found, seen), "never_seen": seen.why}
    return LaneDetail.model_validate(_summary(found, seen) | more)


@router.get(
    "/lanes/{name}/readiness",
    response={200: ReadinessNow, **ERRORS},
    summary="Whether a lane can be relied on: open on five proofs only",
)
def readiness(request: HttpRequest, name: str) -> ReadinessNow:
    found = _lane(request, name)
    seen = stored.last_look(found)
    proofs = stored.proofs_now(found, seen, now=timezone.now())
    return ReadinessNow(
        lane=found.name,
        host=found.host.name,
        is_open=all(proof.is_open for proof in proofs),
        seen_at=stored.proven_at(seen),
        at_most_old_seconds=int(stored.AT_MOST_OLD.total_seconds()),
        proofs=[_proof(found, proof) for proof in proofs],
    )


def _lanes(request: HttpRequest) -> LaneQuerySet:
    caller = caller_of(request)
    caller.require(Action.LANE_READ)
    return Lane.objects.filter(host__in=caller.hosts(Action.LANE_READ, Host.objects.all()).order_by())


def _lane(request: HttpRequest, name: str) -> Lane:
    """The lane, if it is there and this caller may see its host: both end in the same answer."""
    found = _lanes(request).called(name).select_related("host").first()
    if found is None:
        raise Problem("no_such_lane", "There is no such lane, or you may not see it.")
    return found


def _summary(lane: Lane, seen: stored.Seen) -> dict[str, object]:
    observed, parts = seen.observed, _parts(lane, seen)
    known = parts is not None and parts.registration in ("ours", "none")
    runner = parts.runner if parts is not None and known else None
    return {
        "name": lane.name,
        "host": lane.host.name,
        "scope": lane.scope,
        "managed": lane.managed,
        "shape": None if parts is None else shape_from(parts),
        "condition": None if observed is None else observed.condition,
        "online": (runner is not None and runner.online) if known else None,
        "busy": (runner is not None and runner.busy) if known else None,
        "seen_at": seen.at,
    }


def _parts(lane: Lane, seen: stored.Seen) -> Parts | None:
    return None if seen.observed is None else parts_of(lane.as_desired(), seen.observed)


def _seen(lane: Lane, seen: stored.Seen) -> SeenLane | None:
    observed, parts = seen.observed, _parts(lane, seen)
    if observed is None or parts is None:
        return None
    return SeenLane(
        registration=parts.registration,
        directory_state=parts.folder,
        service_state=parts.unit,
        why=parts.why,
        runner=parts.runner,
        directory=observed.directory,
        service=observed.service,
        baseline=observed.baseline,
        control_path=observed.control_path,
        cause=observed.cause,
        unmeasured=observed.unmeasured,
    )


def _proof(lane: Lane, proof: Gate) -> Proof:
    link = f"{settings.PUBLIC_URL}{reverse('lane', args=[lane.name])}#proof-{proof.name}"
    return Proof(name=proof.name, state=proof.state, reason=proof.reason, link=link)
