"""Words and operators into simple commands: who is fed by whom, within which function, what is assigned. Pure.

Compound commands are flattened: a loop's or a group's commands each read what is piped into it, and each may feed what
it is piped into. That is all that the rules ask for, and it holds for every order in which a script may be run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial

from hygiene.lint.shell.scan import DEEPEST, Operator, Scanner
from hygiene.lint.shell.words import Assignment, Command, Output, Text, Word

OPENS = {"if": "fi", "while": "done", "until": "done", "{": "}", "for": "done", "select": "done", "case": "esac"}
CLOSES = {"fi", "done", "}", "esac"}
PASSED_OVER = {"then", "elif", "else", "do", "!", "time"}
ENDS = {";", "&", "&&", "||", "\n"}
ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[[^]]*\])?(\+?=)", re.ASCII)
MOST_OPEN, MOST_FEEDS = 60, 100  # compound commands within each other; commands that one reads from
READS = {"read", "mapfile", "readarray"}


@dataclass(slots=True)
class _Frame:
    """A compound command that is open: how it ends, what feeds it, its commands so far."""

    end: str
    feeds: list[Command] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    function: str = ""


def commands_of(text: str, *, continues: str = "\\") -> list[Command]:
    """The simple commands of a whole text, in their order; those within substitutions are in the words."""
    return _Reader(Scanner(text, _within, continues=continues), "").read()


def _within(scanner: Scanner, end: str) -> list[Command]:
    scanner.depth += 1
    found = _Reader(scanner, end).read()
    scanner.depth -= 1
    return found


class _Reader:
    def __init__(self, scanner: Scanner, end: str) -> None:
        self._scanner, self._end = scanner, end
        self._found: list[Command] = []
        self._frames = [_Frame(end)]
        self._command: Command | None = None
        self._left: list[Command] = []  # what the command before a pipe was
        self._closed: _Frame | None = None  # a compound command that has just ended
        self._named = ""  # a function whose body comes next

    def read(self) -> list[Command]:
        """Every command up to the end, which is taken too."""
        while (token := self._scanner.token()) is not None:
            if isinstance(token, Word):
                self._word(token)
            elif token.text == ")" and self._end == ")" and not any(frame.end == ")" for frame in self._frames[1:]):
                break
            else:
                self._operator(token)
        self._finish()
        return self._found

    def _word(self, word: Word) -> None:
        if self._command is None and (bare := word.bare()) is not None and self._is_reserved(bare, word):
            return
        command = self._begin(word.offset)
        if not command.words and (assignment := self._assignment(word)) is not None:
            command.assignments.append(assignment)
        elif command.words and command.words[0].bare() in ("export", "declare", "local", "readonly", "typeset"):
            assignment = self._assignment(word)
            command.assignments.extend([assignment] if assignment else [])
            command.words.append(word)
        else:
            command.words.append(word)
        command.end = self._scanner.offset

    def _is_reserved(self, bare: str, word: Word) -> bool:
        """True for a word of the grammar, which is dealt with then."""
        if bare in PASSED_OVER:
            return True
        if bare in CLOSES:
            self._close(bare)
            return True
        if bare == "function":
            named = self._scanner.token()
            self._named = named.literal() if isinstance(named, Word) else ""
            return True
        if bare not in OPENS:
            return False
        self._open(OPENS[bare])
        if bare in ("for", "select"):
            self._loop(word)
        elif bare == "case":
            self._skip_to("in")
            self._skip_pattern()
        return True

    def _operator(self, operator: Operator) -> None:
        said = operator.text
        if said in ("|", "|&"):
            self._left = self._take()
        elif said in ENDS:
            if said != "\n" or not self._left or self._command is not None:  # a line may end behind a pipe
                self._finish()
        elif said in (";;", ";&", ";;&"):
            self._finish()
            self._skip_pattern()
        elif said == "(":
            self._parenthesis(operator)
        elif said == ")":
            self._finish()
            self._close(")")
        else:
            self._redirection(said)

    def _parenthesis(self, operator: Operator) -> None:
        """A subshell, or the `()` that makes the word before it the name of a function."""
        empty = self._scanner.text[self._scanner.position : self._scanner.position + 8].lstrip().startswith(")")
        if self._command is not None and len(self._command.words) == 1 and empty:
            self._named = self._command.words[0].literal()
            self._forget(self._command)
            self._scanner.token()
        elif self._command is None:
            self._open(")")
        elif self._scanner.depth < DEEPEST:  # PowerShell and fish write a substitution so
            inner = _within(self._scanner, ")")
            self._command.words.append(Word((Output(tuple(inner)),), operator.offset))
            self._command.end = self._scanner.offset

    def _forget(self, command: Command) -> None:
        """What looked like a command was none."""
        for commands in (self._found, *(frame.commands for frame in self._frames)):
            if command in commands:
                commands.remove(command)
        self._command = None

    def _redirection(self, said: str) -> None:
        target = self._scanner.token()
        if not isinstance(target, Word):
            if target is not None:
                self._operator(target)
            return
        among = self._redirected(target.offset)
        if said in ("<<", "<<-"):
            self._scanner.await_document(target, partial(_give, among))
        elif said == "<<<":
            _give(among, target)
        elif said == "<":
            fed = [inner for part in target.parts if isinstance(part, Output) for inner in part.commands]
            for command in among:
                command.feeds.extend(fed)
        elif said in (">", ">>", "&>", "&>>", ">|"):
            for command in among:
                command.writes.append(target)

    def _redirected(self, offset: int) -> list[Command]:
        """The commands that a redirection is about: this one, or all of the compound one that has just ended."""
        return self._closed.commands if self._closed is not None else [self._begin(offset)]

    def _begin(self, offset: int) -> Command:
        if self._command is None:
            self._closed = None
            frame = self._frames[-1]
            self._command = Command(offset, end=self._scanner.offset, function=frame.function)
            self._command.feeds = (self._left or frame.feeds)[:MOST_FEEDS]
            self._left = []
            self._found.append(self._command)
            for around in self._frames[1:]:
                around.commands.append(self._command)
        return self._command

    def _take(self) -> list[Command]:
        """What stands left of a pipe."""
        left = self._closed.commands if self._closed is not None else [self._command] if self._command else []
        self._command, self._closed = None, None
        return left[-MOST_FEEDS:]

    def _finish(self) -> None:
        self._command, self._closed, self._left = None, None, []

    def _open(self, end: str) -> None:
        around = self._frames[-1]
        if len(self._frames) > MOST_OPEN:
            return
        function = self._named or around.function
        self._frames.append(_Frame(end, self._left or list(around.feeds), [], function))
        self._named, self._left, self._command, self._closed = "", [], None, None

    def _close(self, end: str) -> None:
        ends = [frame.end for frame in self._frames]
        if end in ends[1:]:
            while len(self._frames) > 1:
                self._closed = self._frames.pop()
                if self._closed.end == end:
                    break
        self._command = None

    def _loop(self, word: Word) -> None:
        """`for NAME in words`: each of the words is a value of that name. Stops behind the list."""
        named = self._scanner.token()
        if not isinstance(named, Word):
            return
        values = list[Word]()
        while (token := self._scanner.token()) is not None and isinstance(token, Word):
            if token.bare() == "do":
                break
            values.append(token)
        if values and values[0].bare() == "in":
            command = Command(word.offset, end=self._scanner.offset, function=self._frames[-1].function)
            command.assignments = [Assignment(named.literal(), (value,)) for value in values[1:]]
            self._found.append(command)

    def _skip_to(self, end: str) -> None:
        """Over the words of this line up to `end`; stays where it is if that does not come."""
        before = self._scanner.position
        while isinstance(token := self._scanner.token(), Word):
            if token.bare() == end:
                return
        self._scanner.position = before

    def _skip_pattern(self) -> None:
        """In a `case`: what stands before the `)` of a branch; stays where it is if none comes."""
        if not any(frame.end == "esac" for frame in self._frames):
            return
        words, before = 0, self._scanner.position
        while (token := self._scanner.token()) is not None:
            if isinstance(token, Word):
                words += 1
                if token.bare() == "esac":
                    self._close("esac")
                    return
            elif token.text == ")":
                return
            elif token.text == "\n" and not words:
                before = self._scanner.position
            elif token.text not in ("|", "("):
                break
        self._scanner.position = before

    def _assignment(self, word: Word) -> Assignment | None:
        """`NAME=value`, `NAME+=value` or `NAME=(values)`."""
        first = word.parts[0] if word.parts else None
        if not isinstance(first, Text) or first.quoted or not (found := ASSIGNED.match(first.text)):
            return None
        rest = first.text[found.end() :]
        parts = (Text(rest), *word.parts[1:]) if rest else word.parts[1:]
        adds = found[2] == "+="
        text, position = self._scanner.text, self._scanner.position
        if not parts and text.startswith("(", position) and text.find(")", position) > 0:
            self._scanner.position += 1
            return Assignment(found[1], tuple(self._array()), adds)
        return Assignment(found[1], (Word(tuple(parts), word.offset),), adds)

    def _array(self) -> list[Word]:
        values = list[Word]()
        while (token := self._scanner.token()) is not None:
            if isinstance(token, Word):
                values.append(token)
            elif token.text == ")":
                break
        return values


def _give(commands: list[Command], here: Word) -> None:
    for command in commands:
        command.here.append(here)


def read_names(command: Command) -> list[str]:
    """The names that a `read` or `mapfile` fills from what it is fed."""
    if not command.words or command.words[0].bare() not in READS:
        return []
    return [bare for word in command.words[1:] if (bare := word.bare()) and bare.isidentifier()]
