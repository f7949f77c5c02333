"""What a shell text is made of: words of literal text, variables and the output of other commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

HOLE = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands in an expanded word for what cannot be known here


@dataclass(frozen=True, slots=True)
class Text:
    """Characters as they are; `quoted` ones are never split, and never mean a reserved word."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """`$NAME`, `${NAME:-fallback}`, `${{ matrix.NAME }}`. A `quoted` one stays one word; `each` is `"$@"`."""

    name: str
    quoted: bool = False
    fallback: Word | None = None
    each: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """What the commands of `$(…)`, backquotes or `<(…)` print."""

    commands: tuple[Command, ...]


Part = Text | Variable | Output


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command, as it is written."""

    parts: tuple[Part, ...]
    offset: int

    def bare(self) -> str | None:
        """The text of a word that is nothing but unquoted text; a reserved word can only be such."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Text) and not self.parts[0].quoted:
            return self.parts[0].text
        return None

    def literal(self) -> str:
        """Its text, with a hole for each part that is not literal."""
        return "".join(part.text if isinstance(part, Text) else HOLE for part in self.parts)


@dataclass(frozen=True, slots=True)
class Assignment:
    """`NAME=words`: one word for a plain variable, any number for an array."""

    name: str
    words: tuple[Word, ...]
    adds: bool = False


@dataclass(slots=True, eq=False)
class Command:
    """One simple command. `feeds` are the commands whose output it reads, `here` its here-documents and -strings."""

    offset: int
    end: int = 0
    words: list[Word] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    feeds: list[Command] = field(default_factory=list)
    here: list[Word] = field(default_factory=list)
    writes: list[Word] = field(default_factory=list)
    function: str = ""

    def upstream(self) -> Iterator[Command]:
        """Every command whose output reaches this one through pipes, the nearest first."""
        seen, todo = {id(self)}, list(self.feeds)
        while todo:
            command = todo.pop(0)
            if id(command) not in seen:
                seen.add(id(command))
                yield command
                todo.extend(command.feeds)
