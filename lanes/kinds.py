"""The five kinds of change of a lane, as the engine knows them. There is no other way to register a runner (M70)."""

from functools import partial
from typing import Final

from lanes.apply import LaneRun
from lanes.drift import operation_of
from lanes.looking import scene_now, scene_of
from lanes.models import Lane
from lanes.plan.assemble import TITLES, nothing_to_do, plan_lane
from lanes.plan.decide import phrase_of
from lanes.plan.scene import Asked, Operation
from lanes.stored import last_look
from launchplane.changes.contracts import Plan
from launchplane.changes.kinds import ChangeKind, register
from launchplane.hosts.models import Host
from launchplane.problems import Problem

REQUEST, APPROVE = "hosts.request_change", "hosts.approve_change"
PREFIX: Final = "lane."


def register_kinds() -> None:
    """Make the five kinds known. None has a schedule: a person asks for each, and another approves it."""
    for action, title in TITLES.items():
        register(
            ChangeKind(
                name=f"{PREFIX}{action}",
                title=title,
                authority="approval",
                request_right=REQUEST,
                approve_right=APPROVE,
                plan=partial(plan, f"{PREFIX}{action}"),
                start=LaneRun,
                phrase=phrase,
                nothing_to_do=nothing_to_do,
                stopped="failed",
                subject_is_lane=True,
            )
        )


def plan(kind: str, host: Host, *, lane: str) -> Plan:
    """Look at the lane on record and plan. Only looks: no token is asked for, and nothing is begun (M4, M22).

    Raises Problem `no_such_lane`, and `another_action` where the lane needs another kind than this one.
    """
    row = Lane.objects.select_related("host").filter(host=host).called(lane).first()
    if row is None:
        raise Problem("no_such_lane", f"{host.name} has no lane of that name on record.")
    made = plan_lane(scene_now(row, Asked(operation_of(kind))))
    if made.kind != kind:
        why = " ".join(blocker.summary for blocker in made.blockers)
        raise Problem("another_action", f"What {row.name} needs is {made.kind}, not {kind}: plan that. {why}".rstrip())
    return made


def phrase(plan: Plan) -> str | None:
    """What an approver types: the action and the lane's name; nothing for a restart."""
    return next(
        (phrase_of(action, plan.subject) for action in TITLES if plan.kind == f"{PREFIX}{action}"),
        None,
    )


def kind_called_for(lane: Lane, operation: Operation = "plan") -> str:
    """Which kind of change a lane needs, by a look at it now; a restart and a removal are what was asked for."""
    return plan_lane(scene_now(lane, Asked(operation))).kind if operation == "plan" else f"{PREFIX}{operation}"


def kind_by_last_look(lane: Lane, operation: Operation = "plan") -> str:
    """The same by what was last seen, without looking: whoever plans looks anew, and says so if that differs."""
    if operation != "plan":
        return f"{PREFIX}{operation}"
    observed = last_look(lane).observed
    if observed is None:
        return f"{PREFIX}create" if lane.agent_id is None else f"{PREFIX}reconcile"
    return plan_lane(scene_of(lane, observed)).kind
