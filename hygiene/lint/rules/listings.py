"""Whether a list that something is removed by names what a repository owns, or whatever there is on the host. Pure."""

import re
from collections.abc import Iterable, Iterator

from hygiene.lint.rules.calls import Call, calls, has_flag, operands, option_values
from hygiene.lint.shell.values import Fields, Values
from hygiene.lint.shell.words import HOLE, Command, Output

OWN = ("label=", "reference=", "name=", "ancestor=", "volume=", "network=", "id=")
# they tell old from new or tagged from not, and nothing of whose it is
NOBODYS = re.compile(
    r"(?i)\W*|none|<none>|.*\b(ago|hours?|days?|weeks?|months?|years?|exited|created|dead|running|up|dangling|latest|"
    r"repository|image id|container id|volume name|tag|[kmg]b)\b.*|local"
)
LISTS = {"images", "ps", "ls", "list"}
OBJECTS = {"image", "container", "volume", "network"}
MOST_COMMANDS = 200
LONGEST = 1000  # characters of a pattern


def is_whatever_there_is(commands: Iterable[Command], values: Values) -> bool:
    """What these commands print is a list of all of something, and nothing on the way picks by whose it is."""
    found = [words for command in _closure(commands, values) for words in values.words_of(command)]
    if any(_picks(words) for words in found):
        return False
    return any(_lists_all(call) for words in found for call in calls(words))


def _closure(commands: Iterable[Command], values: Values) -> list[Command]:
    """The commands, what is piped into them, and what is in the words of those that pass words on."""
    seen, todo = dict[int, Command](), list(commands)
    while todo and len(seen) < MOST_COMMANDS:
        command = todo.pop()
        if id(command) in seen:
            continue
        seen[id(command)] = command
        todo.extend(command.feeds)
        todo.extend(inner for words in values.words_of(command) for field in words for inner in field.outputs)
        todo.extend(inner for here in command.here for part in here.parts for inner in _outputs(part))
    return list(seen.values())


def _outputs(part: object) -> tuple[Command, ...]:
    return part.commands if isinstance(part, Output) else ()


def _lists_all(call: Call) -> bool:
    words, fields = call.words, call.fields
    if len(words) > 1 and words[0] in OBJECTS and words[1] in ("ls", "list", "ps"):
        kind, words, fields = words[0], words[2:], fields[2:]
    elif (
        call.program == "ctr"
        and words[:2]
        and words[0] in ("images", "image", "i")
        and words[1:2] in (("ls",), ("list",))
    ):
        kind, words, fields = "image", words[2:], fields[2:]
    elif words and words[0] in ("images", "ps"):
        kind, words, fields = words[0], words[1:], fields[1:]
    else:
        return False
    if has_flag(words, "", "--help") or any(
        _is_own(value) for value in option_values(words, "-f", "--filter", "-qf", "-aqf", "-qaf", "-af")
    ):
        return False
    # `docker images NAME` lists that repository alone
    return not (kind in ("images", "image") and any(_names(words_) for words_ in _plain(fields)))


def _plain(fields: Fields) -> Iterator[str]:
    """The operands, without the values of options that are written apart."""
    before = ""
    for field in fields:
        text = field.text
        if not text.startswith("-") and before not in (
            "-f",
            "--filter",
            "--format",
            "-qf",
            "-aqf",
            "-qaf",
            "-af",
            "--sort",
        ):
            yield text
        before = text


def _names(text: str) -> bool:
    return bool(text.strip("*:/@")) and text not in ("|",)


def _is_own(value: str) -> bool:
    """A filter that picks by name or label; not `label!=…`, `dangling=true`, `until=…`, `status=…`, `reference=*`."""
    name = next((name for name in OWN if value.startswith(name)), None)
    return name is not None and bool(value[len(name) :].strip("*:/.^$ "))


def is_own_filter(words: tuple[str, ...]) -> bool:
    """A prune that is narrowed to a label."""
    return any(value.startswith("label=") and value != "label=" for value in option_values(words, "--filter"))


def _picks(fields: Fields) -> bool:
    """A `grep`, `awk` or `sed` that lets pass what has a certain name."""
    if not fields:
        return False
    match fields[0].name:
        case "grep" | "egrep" | "fgrep" | "rg":
            return _grep_picks(fields[1:])
        case "awk" | "gawk" | "mawk" | "sed" | "jq" | "perl" | "Select-String" | "Where-Object":
            return any(_condition_picks(field.text) for field in operands(fields[1:]))
        case "findstr" | "select-string":
            return not any(field.text.lower() in ("/v", "-notmatch") for field in fields)
    return False


def _grep_picks(fields: Fields) -> bool:
    words = tuple(field.text for field in fields)
    if has_flag(words, "v", "--invert-match"):
        return False
    patterns = [*option_values(words, "-e", "--regexp")] or [field.text for field in operands(fields)][:1]
    return bool(patterns) and all(_is_somebodys(pattern) for pattern in patterns)


def _condition_picks(script: str) -> bool:
    """`/name/`, `$1 == "name"`, `$1 ~ "name"`, `select(… == "name")`: what is asked for, and not what is left out."""
    asked = re.findall(
        r"""(?<![!\w])\s*/([^/]{2,})/|(?:==|[^!]~|test\(|contains\()\s*["'/]([^"'/]+)["'/]""", script[:LONGEST]
    )
    return any(_is_somebodys(first or second) for first, second in asked)


def _is_somebodys(pattern: str) -> bool:
    return HOLE in pattern or not NOBODYS.fullmatch(pattern[:LONGEST].strip("^$"))
