"""What the words of a command may be once variables are filled in: every value that the file itself gives them. Pure.

The order of assignments is not followed: a name that is set twice has two values, and a rule that one of them breaks is
broken. What the file does not say is a hole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from hygiene.lint.shell.commands import read_names
from hygiene.lint.shell.words import HOLE, Assignment, Command, Output, Part, Text, Variable, Word

DEEPEST = 6  # variables that are set by variables
MOST_VALUES, MOST_TOGETHER, MOST_FIELDS = 24, 96, 500
LONGEST = 20_000  # characters of one word


@dataclass(frozen=True, slots=True)
class Field:
    """One word that a command gets; `outputs` are the commands whose output is in it, where its text has a hole."""

    text: str
    outputs: tuple[Command, ...] = ()

    @property
    def name(self) -> str:
        """The last part of a path, as a command is called by."""
        return self.text.replace("\\", "/").rpartition("/")[2].removesuffix(".exe").lstrip("@")


Fields = tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class _Growing:
    """The fields of a word so far; `open` is the one to which more is added, None where there is none."""

    done: Fields = ()
    open: Field | None = None

    def add(self, text: str, outputs: tuple[Command, ...] = ()) -> _Growing:
        before = self.open or Field("")
        return _Growing(self.done, Field((before.text + text)[:LONGEST], (before.outputs + outputs)[:MOST_TOGETHER]))

    def add_split(self, fields: Fields) -> _Growing:
        """Each of `fields` is a word of its own, but for the first and the last, which stand beside what is there."""
        if not fields or len(self.done) > MOST_FIELDS:
            return self
        first, *rest = fields[:MOST_FIELDS]
        grown = self.add(first.text, first.outputs)
        for following in rest:
            grown = _Growing((*grown.done, grown.open or Field("")), following)
        return grown

    def fields(self) -> Fields:
        return self.done if self.open is None else (*self.done, self.open)


@dataclass(slots=True)
class Values:
    """What each name may stand for. `plain` are texts from outside of the shell, such as `env:` of a workflow."""

    plain: Mapping[str, Sequence[str]] = field(default_factory=dict)
    assigned: dict[str, list[tuple[Word, ...]]] = field(default_factory=dict)
    arguments: Fields | None = None
    _known: dict[tuple[str, int], list[Fields]] = field(default_factory=dict)

    def learn(self, commands: Iterable[Command]) -> None:
        """Every assignment of these commands, and what their `read`s are fed with."""
        for command in commands:
            for assignment in command.assignments:
                self._assign(assignment)
            for name in read_names(command):
                fed = (*command.feeds, *_here_outputs(command))
                if fed:
                    self._assign(Assignment(name, (Word((Output(tuple(fed)),), command.offset),)))

    def with_arguments(self, arguments: Fields) -> Values:
        """The same within a function that is called with these."""
        return Values(self.plain, self.assigned, arguments)

    def words_of(self, command: Command) -> Iterator[Fields]:
        """What `command` may be called with: one for each combination of values, each once."""
        choices = [self._expanded(word, 0) for word in command.words]
        seen = set()
        for combination in islice(product(*choices), MOST_TOGETHER):
            fields = tuple(found for part in combination for found in part)
            key = tuple(found.text for found in fields)
            if key not in seen or any(found.outputs for found in fields):
                seen.add(key)
                yield fields

    def texts_of(self, word: Word) -> Iterator[str]:
        """What one word may be, as one text."""
        for fields in self._expanded(word, 0):
            yield " ".join(found.text for found in fields)

    def _assign(self, assignment: Assignment) -> None:
        self._known.clear()
        values = self.assigned.setdefault(assignment.name, [])
        if assignment.adds:
            values.extend([*(value + assignment.words for value in values), assignment.words])
        else:
            values.append(assignment.words)
        del values[MOST_VALUES:]

    def _expanded(self, word: Word, depth: int) -> list[Fields]:
        growing = [_Growing()]
        for part in word.parts:
            growing = [grown for before in growing for grown in self._with(before, part, depth)][:MOST_VALUES]
        return [grown.fields() for grown in growing]

    def _with(self, growing: _Growing, part: Part, depth: int) -> Iterator[_Growing]:
        match part:
            case Text():
                yield growing.add(part.text)
            case Output():
                yield growing.add(HOLE, part.commands)
            case Variable():
                values = self._values(part, depth)
                for fields in values or [(Field(HOLE),)]:
                    if part.each:
                        yield growing.add_split(fields)
                    elif part.quoted:
                        outputs = tuple(command for found in fields for command in found.outputs)
                        yield growing.add(" ".join(found.text for found in fields), outputs)
                    else:
                        yield growing.add_split(_split(fields))

    def _values(self, variable: Variable, depth: int) -> list[Fields]:
        if depth >= DEEPEST:
            return []
        if self.arguments is not None and variable.name in ("@", "*"):
            return [self.arguments]
        if self.arguments is not None and variable.name.isdigit() and 0 < int(variable.name) <= len(self.arguments):
            return [(self.arguments[int(variable.name) - 1],)]
        found = list(self._named(variable.name.removeprefix("env."), depth))
        if variable.fallback is not None:
            found.extend(self._expanded(variable.fallback, depth + 1))
        return found[:MOST_VALUES]

    def _named(self, name: str, depth: int) -> list[Fields]:
        """The values of a name, reckoned once at each depth: names that are made of each other would never end."""
        if (name, depth) not in self._known:
            found: list[Fields] = [(Field(text[:LONGEST]),) for text in self.plain.get(name, ())]
            for words in self.assigned.get(name, ()):
                choices = [self._expanded(word, depth + 1) for word in words]
                combinations = islice(product(*choices), MOST_VALUES)
                found.extend(tuple(each for part in combination for each in part) for combination in combinations)
            self._known[name, depth] = found[:MOST_VALUES]
        return self._known[name, depth]


def _split(fields: Fields) -> Fields:
    """As a shell splits a value that is not quoted."""
    return tuple(Field(text, found.outputs) for found in fields for text in found.text.split())


def _here_outputs(command: Command) -> list[Command]:
    return [
        inner for here in command.here for part in here.parts if isinstance(part, Output) for inner in part.commands
    ]
