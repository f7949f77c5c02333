"""`manage.py lanes plan LANE`: look and plan, as JSON or as people read it. Changes nothing anywhere (M4, M22)."""

from lanes.kinds import kind_called_for
from lanes.looking import find_lane
from lanes.plan.scene import Operation
from launchplane.access.authenticate import shell
from launchplane.changes.document import ChangeDocument, LaneChangeDocument, document
from launchplane.changes.models import Change
from launchplane.changes.planning import known_kind, plan_change
from launchplane.commands import ATTENTION, Subcommands


def plan(command: Subcommands, *, name: str, operation: Operation, json: bool) -> int | None:
    """Plan, print, and return the exit code: 3 for a plan that is blocked."""
    lane = find_lane(name)
    change = plan_change(kind_called_for(lane, operation), lane.host, by=shell(), lane=lane.name)
    shown = document(change)
    if json:
        command.print_json(shown)
    else:
        _print(command, change, shown)
    return ATTENTION if change.status == Change.Status.BLOCKED else None


def _print(command: Subcommands, change: Change, shown: ChangeDocument) -> None:
    """The plan as people read it: what would be done, what stands in the way, what to do next."""
    shape = shown.shape.replace("_", " ") if isinstance(shown, LaneChangeDocument) else "unknown"
    command.say(f"{shown.title} on {shown.host}: {shown.plan_status}. It is {shape}.")
    if shown.steps:
        cells = [(step.position, step.verb, step.title, step.undo.get("why")) for step in shown.steps]
        command.print_table(["#step", "does", "to", "why"], cells)
    for blocker in shown.blockers:
        command.say(f"! {blocker.code}: {blocker.summary}")
    for step in (*shown.next_steps, *_next(change, shown)):
        command.say(f"  next: {step}")


def _next(change: Change, shown: ChangeDocument) -> list[str]:
    if change.status == Change.Status.BLOCKED:
        return []
    if (nothing := known_kind(change.kind).nothing_to_do(change.planned())) is not None:
        return [nothing]
    return [f"manage.py changes request {shown.id} --reason … --as … has it approved; nothing was changed yet."]
