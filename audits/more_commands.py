"""Subcommands of `manage.py audits` that need what stands above audits. They register here: arrows point down."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from launchplane.commands import Subcommands


class More(NamedTuple):
    """`act` gets the command, to print with, and the parsed options; it returns an exit code (None is 0)."""

    name: str
    help_text: str
    arguments: Sequence[tuple[list[str], dict[str, Any]]]
    act: Callable[..., int | None]


_ALL: dict[str, More] = {}


def register(more: More) -> None:
    """Add a subcommand; the same name again replaces it."""
    _ALL[more.name] = more


def add_to(command: Subcommands, among: Any) -> None:
    """Add all of them to the command's parser."""
    for more in _ALL.values():
        act = partial(more.act, command)
        command.sub(among, more.name, act, help_text=more.help_text, arguments=more.arguments)
