"""What a file yields: pieces of shell, each with what the file says about them, and hits that need no shell. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hygiene.lint.source import Source


class Unreadable(Exception):
    """A file is not what its name says, or more than is read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Shell, with values from around it. `machines` are the labels of the runner that it needs, where a job says so.

    `elsewhere`: it runs on another machine than the job does. `name` is the file that it is written to, if it is one.
    """

    source: Source
    plain: Mapping[str, Sequence[str]] = field(default_factory=dict)
    machines: tuple[str, ...] = ()
    elsewhere: bool = False
    in_image_build: bool = False
    continues: str = "\\"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A hit that is no shell, such as an option of Nix."""

    code: str
    line: int
    command: str
    machines: tuple[str, ...] = ()
    elsewhere: bool = False
