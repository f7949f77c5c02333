"""Lanes as `manage.py lanes list` and `lanes observe` show them: contracts for programs, and words for people."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from lanes.contracts import Condition, Desired, Observed, Shape
from lanes.models import Lane
from lanes.parts import Parts, parts_of
from lanes.plan.case import case_of
from lanes.plan.facts import seen_of
from lanes.plan.scene import Scene
from lanes.readiness import readiness
from lanes.shapes import shape_from
from lanes.stored import Seen, last_looks
from launchplane.changes.contracts import Json
from launchplane.commands import Subcommands
from launchplane.hosts.contracts import Contract

NEVER: Final = "never looked at"
UNKNOWN: Final = "unknown"
JUST_NOW: Final = timedelta(minutes=5)


class ListedLane(Contract):
    """A lane by its last look. What nobody has seen yet, or nobody could read, is null."""

    name: str
    host: str
    scope: str
    managed: bool
    shape: Shape | None
    condition: Condition | None
    online: bool | None
    busy: bool | None
    seen_at: datetime | None


class LaneLook(Contract):
    """One look at a lane: what its record wants, beside what was seen, as in its plan."""

    lane: str
    host: str
    seen_at: datetime
    shape: Shape
    condition: Condition
    cause: str
    desired: Desired
    observed: Mapping[str, Json]


def listed(lanes: Iterable[Lane]) -> list[ListedLane]:
    """The lanes with the last look at each, by name."""
    rows = list(lanes)
    looks = last_looks(rows)
    return [_listed(lane, looks[lane.pk]) for lane in rows]


def _listed(lane: Lane, seen: Seen) -> ListedLane:
    observed = seen.observed
    parts = None if observed is None else parts_of(lane.as_desired(), observed)
    known = parts is not None and parts.registration in ("ours", "none")
    runner = None if parts is None else parts.runner
    return ListedLane(
        name=lane.name,
        host=lane.host.name,
        scope=lane.scope,
        managed=lane.managed,
        shape=None if parts is None else shape_from(parts),
        condition=None if observed is None else observed.condition,
        online=(runner is not None and runner.online) if known else None,
        busy=(runner is not None and runner.busy) if known else None,
        seen_at=seen.at,
    )


def cells(lane: ListedLane) -> list[object]:
    """One line of the table."""
    states = {None: UNKNOWN, True: "busy" if lane.busy else "online", False: "offline"}
    seen = NEVER if lane.seen_at is None else f"{lane.seen_at:%Y-%m-%d %H:%M:%S}"
    return [lane.name, lane.host, lane.scope, _words(lane.shape), states[lane.online], seen]


def look_at(scene: Scene) -> LaneLook:
    """The look that the scene was made around."""
    case = case_of(scene)
    return LaneLook(
        lane=scene.desired.lane_name,
        host=scene.host.name,
        seen_at=scene.observed.seen_at,
        shape=case.shape,
        condition=scene.observed.condition,
        cause=scene.observed.cause,
        desired=scene.desired,
        observed=seen_of(case),
    )


def is_at_work(scene: Scene, *, now: datetime) -> bool:
    """Whether it is seen to be as its record wants it, with nothing left unread: its five proofs, as of now."""
    proofs = readiness(scene.desired, scene.observed, now=now, at_most_old=JUST_NOW, listed=scene.listed)
    return proofs.is_open and not scene.observed.unmeasured


def print_look(command: Subcommands, scene: Scene) -> None:
    """A look as people read it: what each place says, what is wrong, what is not known."""
    case = case_of(scene)
    desired, parts = scene.desired, case.parts
    command.say(f"{desired.lane_name} on {scene.host.name}, for {desired.scope}: {_words(case.shape)}.")
    command.print_table(
        ["place", "says", "why"],
        [
            ["GitHub", _of_github(parts), parts.why.get("listing", "")],
            [desired.directory, parts.folder, parts.why.get("directory", "")],
            [desired.systemd_unit_name, parts.unit, parts.why.get("service", "")],
        ],
    )
    for line in (*_wrong(scene.observed, parts), *_of_baseline(scene.observed), *_not_known(scene.observed)):
        command.say(line)


def _wrong(observed: Observed, parts: Parts) -> Iterator[str]:
    if observed.condition != "none":
        yield f"! {_words(observed.condition)}: {observed.cause}"
    elif observed.cause:
        yield f"! {observed.cause}"
    for labels in parts.labels:
        yield f"! labels: {labels}"
    if observed.control_path is False:
        yield "! control_path: the programs that restart and remove it are not on its host."


def _of_baseline(observed: Observed) -> Iterator[str]:
    if observed.baseline is None:
        return
    for name, state in observed.baseline.checks.items():
        if state is not True:
            yield f"{'!' if state is False else '?'} baseline {name}: {observed.baseline.reasons.get(name, '')}"


def _not_known(observed: Observed) -> Iterator[str]:
    for part, why in sorted(observed.unmeasured.items()):
        yield f"? {part} is not measured: {why}"


def _of_github(parts: Parts) -> str:
    runner = parts.runner
    if runner is None:
        return parts.registration
    return f"runner {runner.id}, {'online' if runner.online else 'offline'}, {'busy' if runner.busy else 'idle'}"


def _words(name: str | None) -> str:
    return UNKNOWN if name is None else name.replace("_", " ")
