"""A piece of shell held against the rules: each command in it that takes more than its repository owns. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from hygiene.lint.rules import passed
from hygiene.lint.rules.calls import Call, calls
from hygiene.lint.rules.listings import is_whatever_there_is
from hygiene.lint.rules.storage import removes_storage
from hygiene.lint.rules.verdicts import removes_images, verdict
from hygiene.lint.shell.commands import commands_of
from hygiene.lint.shell.values import Fields, Values
from hygiene.lint.shell.words import Command, Output, Part, Variable, Word
from hygiene.lint.source import Source

DEEPEST = 5  # texts within texts, calls of functions within calls
MOST_JUDGED = 50_000  # commands with values filled in; a file that has more is told as not read
MOST_WORDS = 2_000
LONGEST_QUOTED = 300
PASS_ON = {"xargs", "parallel", "foreach-object", "foreach", "%"}  # they make words of what they read


class TooMuch(Exception):
    """There is more in a file than is looked at."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A command that a rule is about. `elsewhere`: the engine of another machine is asked."""

    code: str
    line: int
    last_line: int
    command: str
    elsewhere: bool = False


Embedded = Callable[[str, Source], Iterator[Hit]]


def _nothing(_name: str, _source: Source) -> Iterator[Hit]:
    yield from ()


@dataclass(frozen=True, slots=True)
class Around:
    """What surrounds a piece of shell: values from outside, the file's bounds, and how a file within it is read."""

    plain: dict[str, list[str]] = field(default_factory=dict)
    no_image_removal: bool = False
    in_image_build: bool = False
    continues: str = "\\"
    depth: int = 0
    embedded: Embedded = _nothing
    spent: list[int] = field(default_factory=lambda: [0])


def judge(source: Source, around: Around) -> Iterator[Hit]:
    """Every hit, in order, each command once for each code. Raises TooMuch."""
    if around.depth > DEEPEST:
        return
    seen = set()
    for hit in _Script(source, around).hits():
        key = (hit.code, hit.line, hit.command)
        if key not in seen:
            seen.add(key)
            yield hit


class _Script:
    def __init__(self, source: Source, around: Around) -> None:
        self._source, self._around = source, around
        self._commands = commands_of(source.text, continues=around.continues)
        self._values = Values(around.plain)
        self._everything = list(_with_inner(self._commands))
        self._values.learn(self._everything)
        self._functions: dict[str, list[Command]] = {}
        for command in self._everything:
            if command.function:
                self._functions.setdefault(command.function, []).append(command)
        self._aliases = dict(self._aliased())
        self._makes_builder = any(self._creates_builder(command) for command in self._everything)

    def hits(self) -> Iterator[Hit]:
        for command in self._everything:
            found = [*self._of(command, self._values), *self._passed_on(command, self._values)]
            yield from found or self._called(command)

    def _of(self, command: Command, values: Values) -> Iterator[Hit]:
        """The hits of one command with these values filled in; a function is looked at where it is called."""
        for words in values.words_of(command):
            self._spend()
            if words and words[0].text in self._functions:
                continue
            if len(words) > MOST_WORDS:
                raise TooMuch(f"a command has more than {MOST_WORDS} words")
            for code, elsewhere in self._codes(command, words, values):
                yield self._hit(code, command, elsewhere=elsewhere)
                return

    def _codes(self, command: Command, words: Fields, values: Values) -> Iterator[tuple[str, bool]]:
        if removes_storage(words) and not self._around.in_image_build:
            yield "storage_removed", any(word.name == "ssh" for word in words)
        for call in calls(words):
            if self._around.no_image_removal and removes_images(call):
                yield "image_removed_in_teardown", call.elsewhere
            code = verdict(call, lists=self._lister(command, call, values), builder=self._builder(command))
            if code is not None:
                yield code, call.elsewhere or bool(self._values.plain.get("DOCKER_HOST"))

    def _lister(self, command: Command, call: Call, values: Values) -> Callable[[Fields], bool]:
        def lists(fields: Fields) -> bool:
            outputs = [inner for word in fields for inner in word.outputs]
            if any(before.rpartition("/")[2].lower() in PASS_ON for before in call.before):
                outputs += [*command.feeds, *(inner for word in command.here for inner in _outputs(word))]
                outputs += [inner for words in values.words_of(command) for word in words for inner in word.outputs]
            self._spend(len(outputs) * 20)
            return bool(outputs) and is_whatever_there_is(outputs, values)

        return lists

    def _builder(self, command: Command) -> str | None:
        """The builder that the environment of `command` names; None if the script makes one of its own."""
        if self._makes_builder:
            return None
        named = [
            word for assigned in command.assignments if assigned.name == "BUILDX_BUILDER" for word in assigned.words
        ]
        named += [word for words in self._values.assigned.get("BUILDX_BUILDER", ()) for word in words]
        known = [text for word in named for text in self._values.texts_of(word)]
        return next(iter([*known, *self._around.plain.get("BUILDX_BUILDER", [])]), "")

    def _creates_builder(self, command: Command) -> bool:
        return any(
            "create" in call.words[:3] and "--use" in call.words
            for words in self._values.words_of(command)
            for call in calls(words)
            if call.words[:1] == ("buildx",)
        )

    def _called(self, command: Command, depth: int = 0, values: Values | None = None) -> Iterator[Hit]:
        """The hits that come of calling a function of this script with these arguments, told at the call."""
        for words in (values or self._values).words_of(command) if depth < DEEPEST else ():
            body = self._functions.get(words[0].text, ()) if words else ()
            within = self._values.with_arguments(words[1:])
            for inner in body:
                self._spend()
                if any(True for _ in self._of(inner, self._values)):
                    continue  # told where it stands
                found = [
                    *self._of(inner, within),
                    *self._passed_on(inner, within),
                    *self._called(inner, depth + 1, within),
                ]
                yield from (self._hit(hit.code, command, elsewhere=hit.elsewhere) for hit in found)

    def _passed_on(self, command: Command, values: Values) -> Iterator[Hit]:
        """The hits in texts that are run as shell, and in files that are written."""
        for words in values.words_of(command):
            if words and words[0].text in self._functions:
                continue
            ssh = any(word.name in ("ssh", "sshpass", "mosh") for word in words)
            texts = [(text, None) for text in (*passed.texts_in_words(words), *self._by_alias(words))]
            for text, offset in [*texts, *passed.texts_read(command, words, values)]:
                self._spend(1 + len(text) // 100)
                for hit in judge(self._piece(text, command, offset), self._deeper):
                    yield replace(hit, elsewhere=hit.elsewhere or ssh)
        for name, text, offset in passed.texts_written(command, values):
            yield from self._around.embedded(name, self._piece(text, command, offset))

    def _aliased(self) -> Iterator[tuple[str, str]]:
        for command in self._everything:
            for words in self._values.words_of(command):
                if words and words[0].text == "alias":
                    yield from ((name, text) for word in words[1:] for name, _, text in [word.text.partition("=")])

    def _by_alias(self, words: Fields) -> Iterator[str]:
        if words and (text := self._aliases.get(words[0].text)):
            yield " ".join([text, *(word.text for word in words[1:])])

    def _piece(self, text: str, command: Command, offset: int | None) -> Source:
        if offset is not None:
            return Source.of(text, self._source.line_at(offset))
        at = self._source.text.find(text, command.offset, command.end + len(text)) if "\n" in text else -1
        if at >= 0:
            return Source.of(text, self._source.line_at(at))
        return Source.all_on(text, self._source.line_at(command.offset))

    @cached_property
    def _deeper(self) -> Around:
        """What surrounds a script that this one runs: the values of this one, as texts."""
        known = {name: list(texts) for name, texts in self._around.plain.items()}
        for name, values in self._values.assigned.items():
            texts = [text for words in values if len(words) == 1 for text in self._values.texts_of(words[0])]
            known.setdefault(name, []).extend(texts)
        return replace(self._around, depth=self._around.depth + 1, plain=known)

    def _hit(self, code: str, command: Command, *, elsewhere: bool) -> Hit:
        written = " ".join(self._source.text[command.offset : command.end].replace("\\\n", " ").split())
        first, last = command.offset, max(command.offset, command.end - 1)
        line_at = self._source.line_at
        return Hit(code, line_at(first), line_at(last), written[:LONGEST_QUOTED], elsewhere)

    def _spend(self, much: int = 1) -> None:
        self._around.spent[0] += much
        if self._around.spent[0] > MOST_JUDGED:
            raise TooMuch(f"it has more than {MOST_JUDGED} commands with their values filled in")


def _with_inner(commands: Sequence[Command]) -> Iterator[Command]:
    """The commands, and those within their words."""
    for command in commands:
        yield command
        values = [word for assignment in command.assignments for word in assignment.words]
        for word in (*command.words, *command.writes, *values):
            yield from _with_inner(_outputs(word))


def _outputs(word: Word) -> list[Command]:
    return [command for part in word.parts for command in _of_part(part)]


def _of_part(part: Part) -> Sequence[Command]:
    if isinstance(part, Output):
        return part.commands
    if isinstance(part, Variable) and part.fallback is not None:
        return _outputs(part.fallback)
    return ()
