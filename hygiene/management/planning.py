"""`manage.py hygiene plan HOST KIND`: observe and plan, as JSON or as people read it. Changes nothing on a host."""

from typing import Any

from hygiene.plan.bounds import AGED, BUILD_CACHE, DANGLING, RETIRE
from launchplane.access.authenticate import shell
from launchplane.changes.document import ChangeDocument, document
from launchplane.changes.models import Change
from launchplane.changes.planning import known_kind, plan_change
from launchplane.commands import ATTENTION, Subcommands
from launchplane.hosts.services import find_host
from launchplane.problems import Problem
from launchplane.words import human_bytes, printable

PREFIX = "hygiene."
KINDS = (BUILD_CACHE, DANGLING, AGED, RETIRE)
ARGUMENTS: list[tuple[list[str], dict[str, Any]]] = [
    (["name"], {"metavar": "HOST"}),
    (["kind"], {"metavar": "KIND", "help": f"one of {', '.join(kind.removeprefix(PREFIX) for kind in KINDS)}"}),
    (["--item"], {"action": "append", "default": [], "metavar": "KIND:ID", "dest": "items", "help": "for retire"}),
]


def plan(command: Subcommands, *, name: str, kind: str, items: list[str], json: bool) -> int | None:
    """Plan, print, and return the exit code: 3 for a plan that is blocked."""
    wanted = kind if kind.startswith(PREFIX) else f"{PREFIX}{kind}"
    if wanted not in KINDS:
        raise Problem("no_such_kind", f"There is no kind {kind!r}: {ARGUMENTS[1][1]['help']}.")
    if items and wanted != RETIRE:
        raise Problem("no_items_here", f"{wanted} takes what its bounds say, not named items: --item is for retire.")
    asked: dict[str, Any] = {"items": items} if wanted == RETIRE else {}
    change = plan_change(wanted, find_host(name), by=shell(), **asked)
    if json:
        command.print_json(document(change))
    else:
        _print(command, change)
    return ATTENTION if change.status == Change.Status.BLOCKED else None


def _print(command: Subcommands, change: Change) -> None:
    """The plan as people read it: what would go and what that frees, what stands in the way, what to do next."""
    shown = document(change)
    frees = human_bytes(shown.predicted_bytes)
    _say(command, f"{shown.title} on {shown.host}: {shown.plan_status}. It would free {frees}.")
    if shown.steps:
        cells = [(s.position, s.verb, s.title, human_bytes(s.predicted_bytes), s.undo.get("why")) for s in shown.steps]
        command.print_table(["#step", "does", "to", "#frees", "why"], cells)
    for blocker in shown.blockers:
        _say(command, f"! {blocker.code}: {blocker.summary}")
    for step in (*shown.next_steps, *_next(change, shown)):
        _say(command, f"  next: {step}")


def _say(command: Subcommands, sentence: str) -> None:
    command.stdout.write(printable(sentence))


def _next(change: Change, shown: ChangeDocument) -> list[str]:
    if change.status == Change.Status.BLOCKED:
        return []
    if (nothing := known_kind(change.kind).nothing_to_do(change.planned())) is not None:
        return [nothing]
    return [f"manage.py changes request {shown.id} --reason … --as … has it approved; nothing was changed yet."]
