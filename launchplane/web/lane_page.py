"""What the pages of lanes show: each lane as wanted, as last seen, what stops it and what comes next.

Read from what is stored, with a constant number of queries: no page waits for a host or for GitHub.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lanes.contracts import Desired, Observed
from lanes.looking import host_facts
from lanes.models import Lane, LaneGrant
from lanes.parts import Parts, parts_of
from lanes.plan.assemble import TITLES, nothing_to_do, plan_lane
from lanes.plan.codes import next_step
from lanes.plan.scene import Fleet
from lanes.shapes import shape_from
from lanes.stored import Seen, last_looks, nothing_seen, proofs_now
from lanes.work import work_on
from launchplane.changes.contracts import Blocker, Gate, Plan
from launchplane.hosts.models import Host
from launchplane.web.lane_sides import SeenParts, Side, sides
from launchplane.web.lane_words import NEVER, OLD, PROOFS, SHAPES, WHAT_IT_DOES, Answer, answer, cause, work_word


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stops a plan, and what to do about it."""

    summary: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Next:
    """What a plan would be by what was last seen: blocked, nothing to do, or steps that make up `title`."""

    obstacles: tuple[Obstacle, ...]
    title: str
    what: str
    verbs: tuple[str, ...]
    nothing: str


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane. Of one that nobody has looked at there is only what is wanted, and what stands against its record."""

    lane: Lane
    answer: Answer
    seen_at: datetime | None
    why_unseen: str
    shape: tuple[str, str, str] | None
    work: tuple[str, str] | None
    work_why: str
    cause: str
    proofs: tuple["ProofLine", ...]
    sides: tuple[Side, ...]
    next: Next

    @property
    def is_old(self) -> bool:
        """Whether what is shown of it is not of now."""
        return self.answer.word == OLD

    @property
    def ready(self) -> bool:
        """Whether product repositories may rely on it: the five proofs, and nothing else (M94)."""
        return all(line.gate.is_open for line in self.proofs)

    @property
    def proven(self) -> int:
        return sum(line.gate.is_open for line in self.proofs)

    @property
    def differences(self) -> int:
        return sum(side.mark == "differs" for side in self.sides)

    @property
    def unmeasured(self) -> int:
        return sum(side.mark == "unknown" for side in self.sides)


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One proof with its title in words."""

    gate: Gate
    title: str


def lane_views(lanes: Sequence[Lane], *, now: datetime) -> list[LaneView]:
    """One view of each of `lanes`, which carry their hosts: four queries, however many lanes there are."""
    looks, fleet = last_looks(lanes), _fleet({lane.host for lane in lanes})
    return [_view(lane, looks[lane.pk], fleet, now) for lane in lanes]


def lane_view(lane: Lane, *, now: datetime) -> LaneView:
    """The view of one lane."""
    return lane_views([lane], now=now)[0]


def seen_parts(parts: Parts, observed: Observed) -> SeenParts:
    """What was seen, as the two sides are put together from it."""
    return SeenParts(
        registration=parts.registration,
        folder=parts.folder,
        unit=parts.unit,
        why=dict(parts.why),
        runner=parts.runner,
        directory=observed.directory,
        service=observed.service,
        baseline=observed.baseline,
        unmeasured=dict(observed.unmeasured),
    )


def _fleet(hosts: set[Host]) -> Fleet:
    """Everything that decides on the lanes of `hosts`. A lane's name is there once, so no other host's lane does."""
    grants = LaneGrant.objects.select_related("host").filter(host__in=hosts)
    lanes = Lane.objects.select_related("host").filter(host__in=hosts)
    return Fleet(
        [host_facts(host) for host in hosts],
        [grant.as_grant() for grant in grants],
        [lane.as_desired() for lane in lanes],
    )


def _view(lane: Lane, seen: Seen, fleet: Fleet, now: datetime) -> LaneView:
    desired, proofs = lane.as_desired(), proofs_now(lane, seen, now=now)
    lines = tuple(ProofLine(proof, PROOFS[proof.name]) for proof in proofs)
    observed = seen.observed
    if observed is None:
        return _unseen(lane, desired, seen, lines, fleet, now)
    parts = parts_of(desired, observed)
    work, shape = work_on(parts, observed), shape_from(parts)
    of_that_look = proofs_now(lane, seen, now=observed.seen_at)
    return LaneView(
        lane=lane,
        answer=answer(desired, observed, parts, of_that_look, now=now),
        seen_at=seen.at,
        why_unseen="",
        shape=SHAPES[shape],
        # a lane that is nowhere is neither idle nor busy
        work=None if shape == "absent" else work_word(work, observed.seen_at, now=now),
        work_why=work.reason,
        cause=cause(observed),
        proofs=lines,
        sides=sides(desired, seen_parts(parts, observed)),
        next=_next(plan_lane(fleet.scene(desired, observed))),
    )


def _unseen(
    lane: Lane, desired: Desired, seen: Seen, proofs: tuple[ProofLine, ...], fleet: Fleet, now: datetime
) -> LaneView:
    """What stands against its record needs no look. That nothing was seen is no blocker here: it is said once."""
    nothing = nothing_seen(lane, now)
    plan = plan_lane(fleet.scene(desired, nothing))
    of_record = tuple(found for found in plan.blockers if found.code != "not_measured")
    return LaneView(
        lane=lane,
        answer=Answer(NEVER.tone, NEVER.word, seen.why),
        seen_at=None,
        why_unseen=seen.why,
        shape=None,
        work=None,
        work_why="",
        cause="",
        proofs=proofs,
        # why is said once, on top of the page
        sides=tuple(replace(side, why="") for side in sides(desired, seen_parts(parts_of(desired, nothing), nothing))),
        next=Next(_obstacles(of_record), "", "", (), ""),
    )


def _next(plan: Plan) -> Next:
    action = plan.kind.removeprefix("lane.")
    titles = {str(name): title for name, title in TITLES.items()}
    return Next(
        obstacles=_obstacles(plan.blockers),
        title=titles[action],
        what=WHAT_IT_DOES[plan.kind],
        verbs=tuple(step.verb for step in plan.steps),
        nothing=nothing_to_do(plan) or "",
    )


def _obstacles(blockers: Sequence[Blocker]) -> tuple[Obstacle, ...]:
    return tuple(Obstacle(found.summary, next_step(found)) for found in blockers)
