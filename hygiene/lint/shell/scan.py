"""Shell text into words and operators. Lenient: whatever it is given, it ends, and never raises. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from hygiene.lint.shell.words import Command, Output, Part, Text, Variable, Word

OPERATORS = ("&&", "||", ";;&", ";;", ";&", "|&", "&>>", "&>", "<<<", "<<-", "<<", ">>", ">&", "<&", ">|", "<>")
SINGLE = ";&|<>()"
BLANK = " \t\r\f\v\N{NO-BREAK SPACE}"
ENDS_WORD = BLANK + "\n" + SINGLE
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!$-]")
BRACED = re.compile(r"[#!]?(?P<name>[A-Za-z_][\w.]*|[0-9@*]+)(?P<index>\[[^]]*\])?(?P<rest>.?)")
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
ARITHMETIC = re.compile(r"\$?\(\([^;\n]{0,200}?\)\)")
DESCRIPTOR = re.compile(r"\d*(?=[<>])")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b", "0": "\0"}
FURTHEST = 2000  # characters within which a brace is closed
LONGEST_DELIMITER = 200
DEEPEST = 12  # substitutions within each other; what is deeper counts as not known

Inner = Callable[["Scanner", str], list[Command]]


@dataclass(frozen=True, slots=True)
class Operator:
    """`;`, `|`, `&&`, a redirection, or the end of a line."""

    text: str
    offset: int


Token = Word | Operator


class _Growing:
    """The parts of a word so far."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._plain: list[str] = []

    def put(self, part: Part | str) -> None:
        if isinstance(part, str):
            self._plain.append(part)
            return
        self._end_plain()
        self._parts.append(part)

    def parts(self) -> tuple[Part, ...]:
        self._end_plain()
        return tuple(self._parts)

    def _end_plain(self) -> None:
        if self._plain:
            self._parts.append(Text("".join(self._plain)))
            self._plain.clear()


class Scanner:
    """Reads tokens from `text`. `inner` reads the commands of a substitution up to its closing character."""

    def __init__(self, text: str, inner: Inner, *, depth: int = 0, base: int = 0, continues: str = "\\") -> None:
        self.text, self.position, self.depth, self._base = text, 0, depth, base
        self._inner, self._continues = inner, continues
        self._awaited: list[tuple[str, Callable[[Word], None]]] = []
        self._lines: dict[str, list[int]] | None = None

    @property
    def offset(self) -> int:
        """Where it stands in the whole text: one of backquotes is read by a scanner of its own."""
        return self.position + self._base

    def token(self) -> Token | None:  # noqa: PLR0911  one return for each kind of token
        """The next token; None at the end."""
        self._skip_blanks()
        text, start = self.text, self.position
        if start >= len(text):
            return None
        if text[start] == "\n":
            self.position += 1
            self._read_documents()
            return Operator("\n", start + self._base)
        if text[start : start + 2] in ("<(", ">("):
            return self.word()
        if text.startswith("((", start) and (found := ARITHMETIC.match(text, start)):
            self.position = found.end()
            return Word((Text(":"),), start + self._base)
        if (number := DESCRIPTOR.match(text, start)) and number[0]:
            self.position = number.end()
        for operator in OPERATORS:
            if text.startswith(operator, self.position):
                self.position += len(operator)
                return Operator(operator, start + self._base)
        if text[self.position] in SINGLE:
            self.position += 1
            return Operator(text[self.position - 1], start + self._base)
        return self.word()

    def await_document(self, delimiter: Word, found: Callable[[Word], None]) -> None:
        """After this line comes the text of a here-document: `found` is called with it."""
        self._awaited.append((delimiter.literal(), found))

    def word(self) -> Word:
        """The word that begins here."""
        start, word = self.position, _Growing()
        if self.text[start : start + 2] in ("<(", ">("):
            self.position += 1
            word.put(self._substitution())
        while self.position < len(self.text) and self.text[self.position] not in ENDS_WORD:
            for part in self._part():
                word.put(part)
        if self.position == start:  # nothing that a word can begin with: never stand still
            self.position += 1
        return Word(word.parts(), start + self._base)

    def _part(self) -> list[Part | str]:
        """What stands here, plain characters as such."""
        character = self.text[self.position]
        if character == "\\" or (character == self._continues and self._line_ends_after(self.position)):
            return [self._escaped()]
        if character in "$`":
            return [self._dollar(quoted=False)]
        if character in "'\"" and self.text.find(character, self.position + 1) > 0:
            return [Text(self._up_to("'"), quoted=True)] if character == "'" else [*self._double_quoted()]
        self.position += 1  # a quote that nothing closes is none
        return [character]

    def _skip_blanks(self) -> None:
        text = self.text
        while self.position < len(text):
            character = text[self.position]
            if character == self._continues and self._line_ends_after(self.position):
                self.position = text.index("\n", self.position) + 1
            elif character in BLANK:
                self.position += 1
            elif character == "#":
                end = text.find("\n", self.position)
                self.position = len(text) if end < 0 else end
            else:
                return

    def _line_ends_after(self, position: int) -> bool:
        return self.text.startswith(("\n", "\r\n"), position + 1)

    def _escaped(self) -> str:
        """What a backslash makes of the next character: itself, or nothing of the end of a line."""
        self.position += 1
        if self._line_ends_after(self.position - 1):
            self.position = self.text.index("\n", self.position) + 1
            return ""
        self.position += 1
        return self.text[self.position - 1 : self.position]

    def _up_to(self, end: str) -> str:
        """The text between the character here and `end`."""
        start = self.position + 1
        stop = self.text.find(end, start)
        self.position = len(self.text) if stop < 0 else stop + 1
        return self.text[start : len(self.text) if stop < 0 else stop]

    def _double_quoted(self) -> list[Part]:
        self.position += 1
        parts, plain = list[Part](), list[str]()
        while self.position < len(self.text) and (character := self.text[self.position]) != '"':
            part: Part | str = character
            if character == "\\" and self.text[self.position + 1 : self.position + 2] in ('"', "\\", "$", "`", "\n"):
                part = self._escaped()
            elif character in "$`":
                part = self._dollar(quoted=True)
            else:
                self.position += 1
            if isinstance(part, str):
                plain.append(part)
            else:
                parts += [Text("".join(plain), quoted=True), part]
                plain.clear()
        self.position += 1
        return [*parts, Text("".join(plain), quoted=True)]

    def _dollar(self, *, quoted: bool) -> Part | str:  # noqa: PLR0911  one for each thing a dollar can begin
        """What a dollar or a backquote begins; the character itself if it begins nothing."""
        text, start = self.text, self.position
        for pattern, name in ((EXPRESSION, 1), (ARITHMETIC, 0)):
            if found := pattern.match(text, start):
                self.position = found.end()
                return Variable(found[1] if name else "", quoted)
        match text[start : start + 2]:
            case "$(":
                self.position += 1
                return self._substitution()
            case "${" if "}" in text[start : start + FURTHEST]:
                return self._braced(quoted=quoted)
            case "$'" if not quoted and text.find("'", start + 2) > 0:
                self.position += 1
                return Text(self._ansi_quoted(), quoted=True)
        if text[start] == "`":
            return self._backquoted()
        if found := NAME.match(text, start + 1):
            self.position = found.end()
            return Variable(found[0], quoted, each=found[0] == "@" and quoted)
        self.position += 1
        return "$"

    def _ansi_quoted(self) -> str:
        said = list[str]()
        self.position += 1
        while self.position < len(self.text) and (character := self.text[self.position]) != "'":
            self.position += 1
            if character == "\\":
                character = self.text[self.position : self.position + 1]
                character = ESCAPES.get(character, character)
                self.position += 1
            said.append(character)
        self.position += 1
        return "".join(said)

    def _braced(self, *, quoted: bool) -> Part:
        """`${NAME}` and what may stand behind the name: of a default the word counts, of all else nothing."""
        found = BRACED.match(self.text, self.position + 2)
        stop = self.text.find("}", self.position)
        if found is None or self.depth >= DEEPEST:
            name = self.text[self.position + 2 : stop] if stop > 0 else ""
            self.position = len(self.text) if stop < 0 else stop + 1
            return Variable(name, quoted)
        self.position = found.end() - len(found["rest"])
        fallback = self._fallback()
        name = found["name"]
        each = quoted and (found["index"] == "[@]" or name == "@")
        return Variable(name, quoted, fallback, each=each)

    def _fallback(self) -> Word | None:
        """What stands between the name and the closing brace; the scanner is behind the brace then."""
        match = re.compile(r":?[-=]").match(self.text, self.position)
        if match:
            self.position = match.end()
        start, parts = self.position, list[Part]()
        while self.position < len(self.text) and (character := self.text[self.position]) != "}":
            if character in "$`":
                self.depth += 1
                part = self._dollar(quoted=True)
                self.depth -= 1
                parts.append(Text(part) if isinstance(part, str) else part)
            elif character == "\\":
                parts.append(Text(self._escaped()))
            elif character == '"' and '"' in self.text[self.position + 1 : self.position + FURTHEST]:
                parts.append(Text(self._up_to(character)))
            else:
                parts.append(Text(character))
                self.position += 1
        self.position += 1
        return Word(tuple(parts), start + self._base) if match else None

    def _substitution(self) -> Part:
        """`(` stands here: the commands up to its end."""
        self.position += 1
        if self.depth >= DEEPEST:
            return Variable("")
        return Output(tuple(self._inner(self, ")")))

    def _backquoted(self) -> Part:
        start = self.position + 1
        stop = start
        while stop < len(self.text) and self.text[stop] != "`":
            stop += 2 if self.text[stop] == "\\" else 1
        self.position = min(stop + 1, len(self.text))
        if self.depth >= DEEPEST:
            return Variable("")
        within = re.sub(r"\\([`$\\])", r"\1", self.text[start:stop])
        return Output(
            tuple(self._inner(Scanner(within, self._inner, depth=self.depth + 1, base=self._base + start), ""))
        )

    def _read_documents(self) -> None:
        """The here-documents that the line before has announced; one that nothing ends is none."""
        awaited, self._awaited = self._awaited, []
        for delimiter, found in awaited:
            start = self.position
            places = self._lines_called(delimiter)
            following = bisect_left(places, start)
            if following < len(places):
                end = places[following]
                self.position = self.text.find("\n", end) + 1 or len(self.text)
                found(Word((Text(self.text[start:end], quoted=True),), start + self._base))

    def _lines_called(self, delimiter: str) -> list[int]:
        """Where the lines begin that hold nothing but `delimiter`. All lines are gone through once."""
        if self._lines is None:
            self._lines = {}
            start = 0
            for line in self.text.split("\n"):
                if len(line) <= LONGEST_DELIMITER:
                    self._lines.setdefault(line.strip(), []).append(start)
                start += len(line) + 1
        return self._lines.get(delimiter.strip(), [])
