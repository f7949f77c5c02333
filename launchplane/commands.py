"""The common ground of the commands: subcommands, `--json`, and exit codes that scripts can rely on.

0 fine · 1 unexpected · 2 usage or unreachable · 3 attention, blocked, waiting · 4 refused, failed, in doubt.
"""

import getpass
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from launchplane.problems import Problem, Refused, Waits
from launchplane.words import printable

FINE, USAGE, ATTENTION, REFUSED = 0, 2, 3, 4

REFUSALS = {"engine_replaced", "engine_known", "not_stored", "install_refused", "version_skew"}
WAITING = {"observation_running"}


def exit_code(problem: Problem) -> int:
    """4 for what was refused or could not be stored, 3 for what waits, 2 for the unreachable and for wrong usage."""
    if isinstance(problem, Refused) or problem.code in REFUSALS:
        return REFUSED
    return ATTENTION if isinstance(problem, Waits) or problem.code in WAITING else USAGE


class Subcommands(BaseCommand):
    """A command made of subcommands: `add_arguments` calls `sub` for each, with the function that does it."""

    requires_migrations_checks = False

    def sub(
        self, among: Any, name: str, act: Callable[..., int | None], *, help_text: str, arguments: Sequence[Any] = ()
    ) -> None:
        """Add subcommand `name`; `act` gets the parsed options and returns an exit code (None is 0)."""
        parser: ArgumentParser = among.add_parser(name, help=help_text, description=help_text)
        parser.add_argument("--json", action="store_true", help="print the contract as JSON")
        for names, settings in arguments:
            parser.add_argument(*names, **settings)
        parser.set_defaults(act=act)

    def handle(self, *args: Any, act: Callable[..., int | None], **options: Any) -> None:
        try:
            code = act(**options) or FINE
        except Problem as problem:
            raise self._failure(problem, exit_code(problem), json=options["json"]) from problem
        except (OperationalError, ProgrammingError) as error:
            sentence = f"The database cannot be used: {error}. script/server prepares it."
            raise self._failure(Problem("database_unusable", sentence), 1, json=options["json"]) from error
        if code != FINE:
            sys.exit(code)

    def _failure(self, problem: Problem, code: int, *, json: bool) -> CommandError:
        """The sentence for people, and with `--json` the code for programs too."""
        if json:
            self.print_json({"error": {"code": problem.code, "summary": problem.sentence}})
        return CommandError(printable(problem.sentence), returncode=code)

    def say(self, sentence: str) -> None:
        """Print one line; what an engine or a host said in it cannot move the cursor or forge another line."""
        self.stdout.write(printable(sentence))

    def print_json(self, contract: BaseModel | dict[str, Any] | list[Any]) -> None:
        """Print a contract, indented for people who look at it; in ASCII: no name in it can steer a terminal."""
        plain = contract.model_dump(mode="json") if isinstance(contract, BaseModel) else contract
        self.stdout.write(json.dumps(plain, indent=2))

    def print_table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table; columns whose title starts with '#' hold numbers and are set to the right."""
        table = Table(box=None, pad_edge=False)
        for title in columns:
            table.add_column(title.lstrip("#"), justify="right" if title.startswith("#") else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(str(cell))) for cell in row))
        self.console().print(table)

    def console(self) -> Console:
        """Where people read: the command's own output, so that tests and pipes see the same."""
        width = None if self.stdout.isatty() else 160
        return Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=False, width=width)


def shell_user() -> str:
    """Who runs this command, by name; by number where there is no account, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
