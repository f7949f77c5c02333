"""`manage.py lanes list|observe|plan`."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from lanes.looking import find_lane, scene_now
from lanes.management import planning, showing
from lanes.models import Lane
from lanes.plan.scene import Operation
from launchplane.commands import ATTENTION, Subcommands, shell_user

LANE: tuple[list[str], dict[str, Any]] = (["name"], {"metavar": "LANE"})
OPERATION: tuple[list[str], dict[str, Any]] = (
    ["operation"],
    {"nargs": "?", "choices": ["plan", "restart", "remove"], "default": "plan", "metavar": "restart|remove"},
)


class Command(Subcommands):
    help = "Which runner lanes are wanted, and whether they are there. Changes nothing at GitHub or on a host."

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(required=True, metavar="list|observe|plan")
        self.sub(subcommands, "list", self.list, help_text="List the lanes, each by the last look at it.")
        self.sub(subcommands, "observe", self.observe, help_text="Look at a lane now.", arguments=[LANE])
        self.sub(
            subcommands,
            "plan",
            self.plan,
            help_text="Look at a lane and plan what it needs, or its restart or removal.",
            arguments=[LANE, OPERATION],
        )

    def list(self, *, json: bool, **_: Any) -> None:
        lanes = showing.listed(Lane.objects.select_related("host").order_by("name"))
        if json:
            self.print_json({"lanes": [lane.model_dump(mode="json") for lane in lanes]})
            return
        self.print_table(["name", "host", "for", "shape", "at GitHub", "seen"], map(showing.cells, lanes))
        self.say("1 lane." if len(lanes) == 1 else f"{len(lanes)} lanes.")

    def observe(self, *, name: str, json: bool, **_: Any) -> int | None:
        scene = scene_now(find_lane(name), asked_by=f"command ({shell_user()})")
        if json:
            self.print_json(showing.look_at(scene))
        else:
            showing.print_look(self, scene)
        return None if showing.is_at_work(scene, now=timezone.now()) else ATTENTION

    def plan(self, *, name: str, operation: Operation, json: bool, **_: Any) -> int | None:
        return planning.plan(self, name=name, operation=operation, json=json)
