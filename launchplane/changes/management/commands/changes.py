"""`manage.py changes list|show|request|apply|resolve`. Approving has its one door in the browser."""

from typing import Any

from django.core.management.base import CommandParser

from launchplane.access.authenticate import person_at_shell, shell
from launchplane.changes import approvals, recover, requests
from launchplane.changes.apply import apply_change
from launchplane.changes.document import ChangeDocument, document, summary
from launchplane.changes.models import Change
from launchplane.changes.models.change import Status
from launchplane.changes.requests import find_change
from launchplane.commands import ATTENTION, FINE, REFUSED, Subcommands

ID: tuple[list[str], dict[str, Any]] = (["id"], {"metavar": "ID"})
REASON: tuple[list[str], dict[str, Any]] = (["--reason"], {"required": True, "metavar": "R"})
AS: tuple[list[str], dict[str, Any]] = (
    ["--as"],
    {"required": True, "dest": "username", "metavar": "USER", "help": "who you are; asks for the password"},
)
SHOWN = 50

CODES = {Status.COMPLETED: FINE, Status.PLANNED: FINE, Status.FAILED: REFUSED, Status.IN_DOUBT: REFUSED}


class Command(Subcommands):
    help = "Plans and what became of them. A change is approved in the browser, by somebody else."

    def add_arguments(self, parser: CommandParser) -> None:
        among = parser.add_subparsers(required=True, metavar="list|show|request|apply|resolve")
        host = (["--host"], {"default": "", "metavar": "NAME"})
        everything = (["--open"], {"action": "store_true", "help": "only those that are not at an end"})
        later = (["--later"], {"action": "store_true", "help": "do not apply it as soon as it is approved"})
        key = (["--idempotency-key"], {"required": True, "metavar": "K", "dest": "key"})
        phrase = (["--confirm"], {"default": "", "metavar": "PHRASE", "help": "the phrase that this change asks for"})
        self.sub(among, "list", self.list, help_text="List the newest changes.", arguments=[host, everything])
        self.sub(among, "show", self.show, help_text="Show a change as a whole.", arguments=[ID])
        self.sub(
            among,
            "request",
            self.request,
            help_text="Ask for a planned change to be approved.",
            arguments=[ID, REASON, AS, later],
        )
        self.sub(among, "apply", self.apply, help_text="Apply an approved change now.", arguments=[ID, key, phrase])
        self.sub(
            among,
            "resolve",
            self.resolve,
            help_text="End a change that is in doubt, after you have looked yourself.",
            arguments=[ID, REASON, AS],
        )

    def list(self, *, host: str, open: bool, json: bool, **_: Any) -> None:
        changes = Change.objects.select_related("host")
        changes = changes.filter(host__name=host) if host else changes
        changes = changes.open() if open else changes
        rows = list(changes[:SHOWN])
        if json:
            self.print_json([summary(change).model_dump(mode="json") for change in rows])
        elif not rows:
            self.stdout.write("No change. `manage.py hygiene plan HOST KIND` plans one.")
        else:
            cells = [(c.pk, c.kind, c.host.name, c.get_status_display(), c.requester_name, c.sentence) for c in rows]
            self.print_table(["id", "kind", "host", "status", "asked by", "how it stands"], cells)

    def show(self, *, id: str, json: bool, **_: Any) -> int:
        return self.tell(find_change(id), json=json)

    def request(self, *, id: str, reason: str, username: str, later: bool, json: bool, **_: Any) -> int:
        change = find_change(id)
        person = person_at_shell(username)
        return self.tell(requests.request_change(change, by=person, reason=reason, apply_at_once=not later), json=json)

    def apply(self, *, id: str, key: str, confirm: str, json: bool, **_: Any) -> int:
        change = find_change(id)
        approvals.require_phrase(change, confirm)  # before its key is taken: who mistypes it may come with another
        if requests.take_apply_key(change, key):
            change = apply_change(change, by=shell())
        return self.tell(change, json=json)

    def resolve(self, *, id: str, reason: str, username: str, json: bool, **_: Any) -> int:
        change = find_change(id)
        return self.tell(recover.resolve(change, by=person_at_shell(username), reason=reason), json=json, resolved=True)

    def tell(self, change: Change, *, json: bool, resolved: bool = False) -> int:
        """Print a change; the code says how it stands."""
        shown = document(change)
        if json:
            self.print_json(shown)
        else:
            self.print_change(shown)
        return FINE if resolved else code_of(change)

    def print_change(self, shown: ChangeDocument) -> None:
        """The change as people read it: how it stands, what it does, item by item."""
        self.stdout.write(f"{shown.title} ({shown.kind} on {shown.host}): {shown.status} {shown.why_closed}".rstrip())
        self.stdout.write(f"  id {shown.id}, digest {shown.digest}")
        if shown.sentence:
            self.stdout.write(f"  {shown.sentence}")
        cells = [(s.position, s.verb, s.title, s.outcome or "-", s.detail) for s in shown.steps]
        self.print_table(["#", "does", "to", "outcome", "why"], cells)
        for gate in shown.gates:
            self.stdout.write(f"  gate {gate.name} is {gate.state}: {gate.reason}")
        for blocker in shown.blockers:
            self.stdout.write(f"! {blocker.code}: {blocker.summary}")
        for row in shown.notifications:
            if row.failed:
                self.stdout.write(f"! that it was {row.event} did not reach everybody: {row.failed}")
        for step in shown.next_steps:
            self.stdout.write(f"  next: {step}")


def code_of(change: Change) -> int:
    """0 done or only planned, 3 blocked or waiting, 4 failed, stale or in doubt."""
    if change.status == Status.CLOSED:
        return REFUSED
    return CODES.get(Status(change.status), ATTENTION)
