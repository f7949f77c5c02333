"""Nix: options that prune (`virtualisation.docker.autoPrune`), and the shell in strings. Evaluates nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hygiene.lint.formats.pieces import Found, Piece, Unreadable
from hygiene.lint.source import Source

TOKEN = re.compile(
    r"(?P<blank>\s+|\#[^\n]*)|(?P<comment>/\*)|(?P<indented>'')|(?P<quote>\")|(?P<open>[\[({])|(?P<close>[\])}])|(?P<end>;)|"
    r"(?P<equals>=(?!=))|(?P<path>[A-Za-z_][\w'-]*(?:\.(?:[A-Za-z_][\w'-]*|\"[^\"]*\"|\$\{[^}]*\}))*)|(?P<other>.)",
    re.DOTALL,
)
PRUNES = re.compile(r"(?:.*\.)?(?P<engine>docker|podman)\.autoPrune\.(?P<option>enable|flags)")
TALK = re.compile(r"(?:.*\.)?(?:description|longDescription|motd|documentation|homepage|Description|message|example)")
# a plain string is shell where the option says so, or it begins like a command
RUNS = re.compile(
    r".*(?:Exec\w+|[sS]cript|command|Command|text|systemCronJobs|cronJobs|entrypoint|Cmd|Entrypoint|ExecStart)"
)
BEGINS = re.compile(
    r"\s*(?:sudo\s|(?:\S*/)?(?:docker|podman|nerdctl|sh|bash)\s|\$\{[^}]*\}/bin/\w+\s|[\d*/,-]+\s+[\d*/,-]+\s)"
)

DEEPEST = 100


@dataclass(slots=True)
class _Level:
    """What is open between two brackets: the names around, the option that is being set, what was seen of its value."""

    names: tuple[str, ...] = ()
    option: str = ""
    waiting: str = ""
    value: list[str] = field(default_factory=list)
    line: int = 1

    @property
    def path(self) -> str:
        return ".".join(name for name in (*self.names, self.option) if name)


def nix_pieces(source: Source) -> Iterator[Piece | Found]:
    """Pieces of shell and pruning options. Raises Unreadable for what is nested too deep."""
    reading = _Reading(source)
    reading.read()
    yield from reading.pieces
    yield from _pruning(reading.settings)


class _Reading:
    def __init__(self, source: Source) -> None:
        self.pieces: list[Piece] = []
        self.settings: list[tuple[str, str, int]] = []
        self._source, self._text, self._position = source, source.text, 0
        self._around: list[_Level] = []
        self._at = _Level()

    def read(self) -> None:
        """Go through the whole text once."""
        while (token := TOKEN.match(self._text, self._position)) is not None:
            self._position = token.end()
            match token.lastgroup:
                case "indented" | "quote":
                    self._string(indented=token.lastgroup == "indented")
                case "comment":
                    end = self._text.find("*/", self._position)
                    self._position = len(self._text) if end < 0 else end + 2
                case "path":
                    self._at.waiting = token[0]
                    self._at.value.append(token[0])
                case _:
                    self._mark(token)

    def _mark(self, token: re.Match[str]) -> None:
        """Brackets, `=` and `;`."""
        line = self._source.line_at(token.start())
        match token.lastgroup:
            case "open":
                if len(self._around) > DEEPEST:
                    raise Unreadable("it is nested too deep")
                self._around.append(self._at)
                self._at = _Level((*self._at.names, self._at.option), value=self._at.value, line=line)
            case "close" if self._around:
                self._at = self._around.pop()
            case "equals":
                at = self._at
                at.option, at.waiting, at.value, at.line = at.waiting.replace('"', ""), "", [], line
            case "end":
                if self._at.option:
                    self.settings.append((self._at.path, " ".join(self._at.value), self._at.line))
                self._at.option, self._at.value = "", []

    def _string(self, *, indented: bool) -> None:
        start, closing = self._position, 2 if indented else 1
        self._position = _end_of_string(self._text, start, indented=indented)
        within = self._text[start : max(start, self._position - closing)]
        path = self._at.path
        self._at.value.append(within)
        if _is_shell(path, within, indented=indented):
            name = "crontab" if "CronJobs" in path else ""
            self.pieces.append(Piece(Source.of(_unescaped(within), self._source.line_at(start)), name=name))


def _pruning(settings: list[tuple[str, str, int]]) -> Iterator[Found]:
    """`autoPrune.enable` that is not plainly off; `autoPrune.flags` that say all, unless it is off in this file."""
    found = [(match, value, line) for path, value, line in settings if (match := PRUNES.fullmatch(path))]
    off = {match["engine"] for match, value, _ in found if match["option"] == "enable" and _is_off(value)}
    narrowed = {
        match["engine"] for match, value, _ in found if match["option"] == "flags" and re.search(r"label=", value)
    }
    for match, value, line in found:
        engine, option = match["engine"], match["option"]
        if option == "enable" and engine not in off and engine not in narrowed:
            yield Found("auto_prune", line, f"virtualisation.{engine}.autoPrune.enable = {value}")
        elif option == "flags" and engine not in off and re.search(r"--(?:all|volumes)\b|(?<!\S)-a", value):
            yield Found("auto_prune", line, f"virtualisation.{engine}.autoPrune.flags = [ {value} ]")


def _is_off(value: str) -> bool:
    return value.split()[-1:] == ["false"] and "true" not in value


def _is_shell(path: str, text: str, *, indented: bool) -> bool:
    if TALK.fullmatch(path):
        return False
    return indented or (RUNS.fullmatch(path) is not None and bool(text.strip())) or BEGINS.match(text) is not None


def _end_of_string(text: str, position: int, *, indented: bool) -> int:
    """The place behind a string; the strings within its `${…}` are passed over."""
    closing = "''" if indented else '"'
    while position < len(text):
        if indented and text.startswith(("''$", "'''", "''\\"), position):
            position += 3
        elif not indented and text[position] == "\\":
            position += 2
        elif text.startswith("${", position):
            stop = text.find("}", position)
            position = len(text) if stop < 0 else stop + 1
        elif text.startswith(closing, position):
            return position + len(closing)
        else:
            position += 1
    return position


def _unescaped(text: str) -> str:
    return text.replace("''${", "${").replace("'''", "''").replace('\\"', '"')
