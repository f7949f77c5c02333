"""Lanes as `manage.py lanes list` and `lanes observe` show them: contracts for programs, and words for people."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from lanes.contracts import Condition, Desired, Shape
from lanes.models import Lane
from lanes.parts import parts_of
from lanes.plan.case import case_of
from lanes.plan.facts import seen_of
from lanes.plan.scene import Scene
from lanes.shapes import shape_from
from lanes.stored import Seen, last_looks
from launchplane.changes.contracts import Json
from launchplane.commands import Subcommands
from launchplane.hosts.contracts import Contract

NEVER = "never looked at"
UNKNOWN = "unknown"


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


def is_at_work(scene: Scene) -> bool:
    """Whether it is seen to be as its record wants it: in every part, without a word against it."""
    observed, case = scene.observed, case_of(scene)
    ready = observed.baseline is not None and observed.baseline.ready and observed.control_path is True
    online = case.parts.runner is not None and case.parts.runner.online
    return (case.shape, observed.condition, observed.cause, dict(observed.unmeasured), ready, online) == (
        "supervised_active",
        "none",
        "",
        {},
        True,
        True,
    )


def print_look(command: Subcommands, scene: Scene) -> None:
    """A look as people read it: in words, what is wrong, what is not known."""
    observed, case = scene.observed, case_of(scene)
    desired, parts = scene.desired, case.parts
    command.say(f"{desired.lane_name} on {scene.host.name}, for {desired.scope}: {_words(case.shape)}.")
    command.print_table(
        ["place", "says", "why"],
        [
            ["GitHub", _of_github(scene), parts.why.get("listing", "")],
            [desired.directory, parts.folder, parts.why.get("directory", "")],
            [desired.systemd_unit_name, parts.unit, parts.why.get("service", "")],
        ],
    )
    if observed.condition != "none" or observed.cause:
        command.say(
            f"! {_words(observed.condition)}: {observed.cause}" if observed.cause else f"! {observed.condition}"
        )
    for wrong in parts.labels:
        command.say(f"! labels: {wrong}")
    if observed.control_path is False:
        command.say("! control_path: the programs that restart and remove it are not on its host.")
    for name, state in ({} if observed.baseline is None else observed.baseline.checks).items():
        reason = "" if observed.baseline is None else observed.baseline.reasons.get(name, "")
        if state is not True:
            command.say(f"{'!' if state is False else '?'} baseline {name}: {reason}")
    for part, why in sorted(observed.unmeasured.items()):
        command.say(f"? {part} is not measured: {why}")


def _of_github(scene: Scene) -> str:
    runner = case_of(scene).parts.runner
    if runner is None:
        return case_of(scene).parts.registration
    state = "busy" if runner.busy else "idle"
    return f"runner {runner.id}, {f'online, {state}' if runner.online else f'offline, {state}'}"


def _words(name: str | None) -> str:
    return UNKNOWN if name is None else name.replace("_", " ")
