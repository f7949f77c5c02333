"""`manage.py freeze on|off [HOST] --reason R`: stops every change at its next step, at once and without an approval."""

from typing import Any

from django.core.management.base import CommandParser

from launchplane.access.authenticate import person_at_shell, shell
from launchplane.access.people import Principal
from launchplane.changes import freeze
from launchplane.changes.models import Freeze
from launchplane.commands import Subcommands
from launchplane.hosts.models import Host
from launchplane.hosts.services import find_host


class Command(Subcommands):
    help = "Stops all changes, of one host or of all, until the freeze is lifted."

    def add_arguments(self, parser: CommandParser) -> None:
        among = parser.add_subparsers(required=True, metavar="on|off")
        arguments: list[tuple[list[str], dict[str, Any]]] = [
            (["host"], {"nargs": "?", "default": "", "metavar": "HOST"}),
            (["--reason"], {"required": True, "metavar": "R"}),
            (["--as"], {"dest": "username", "default": "", "metavar": "USER", "help": "who you are"}),
        ]
        self.sub(among, "on", self.on, help_text="Freeze a host, or without a name all of them.", arguments=arguments)
        self.sub(among, "off", self.off, help_text="Lift a freeze.", arguments=arguments)

    def on(self, *, host: str, reason: str, username: str, json: bool, **_: Any) -> None:
        self.tell(freeze.freeze(_host(host), by=_by(username), reason=reason), json=json)

    def off(self, *, host: str, reason: str, username: str, json: bool, **_: Any) -> None:
        self.tell(freeze.lift(_host(host), by=_by(username), reason=reason), json=json)

    def tell(self, row: Freeze, *, json: bool) -> None:
        """Print how a freeze stands."""
        what = row.host.name if row.host else "everything"
        if json:
            self.print_json(
                {"host": row.host.name if row.host else None, "frozen": row.lifted_at is None, "reason": row.reason}
            )
        elif row.lifted_at is None:
            self.stdout.write(f"{what} is frozen: nothing begins there, and what runs stops after the item in hand.")
        else:
            self.stdout.write(f"{what} is not frozen any more.")


def _host(name: str) -> Host | None:
    return find_host(name) if name else None


def _by(username: str) -> Principal:
    return person_at_shell(username) if username else shell()
