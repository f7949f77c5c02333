"""Tell whether a line of a unit, a crontab or a script prunes an engine. Only the command itself is quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator

ENGINE = r"(?:docker|podman|nerdctl)"
KINDS = {"system", "image", "volume", "builder", "buildx", "container"}
PRUNE = re.compile(rf"\b{ENGINE}((?:\s+[^\s;&|]+){{0,8}}?)\s+prune\b")
REMOVE = rf"\b{ENGINE}\s+(?:rmi|rm|(?:image|volume|container)\s+(?:rm|remove))\b"
REMOVE_WHATEVER_IS_LISTED = re.compile(rf"{REMOVE}[^;|]*(?:\$\(|`)|\bxargs\b[^;|]*{REMOVE}")
MAX_LINE = 8192
MAX_QUOTED = 120


def prune_in(line: str) -> str | None:
    """The pruning command in this line, or None."""
    line = line[:MAX_LINE]
    for match in PRUNE.finditer(line):
        if KINDS.intersection(match[1].split()):
            return _quoted(line[match.start() :], r"""[;&|"'`]""")
    removal = REMOVE_WHATEVER_IS_LISTED.search(line)
    return _quoted(line[removal.start() :], r"[;&]") if removal else None


def logical_lines(text: str, *, comments: str = "#") -> Iterator[str]:
    """Lines joined where a backslash ends one; comment lines are left out, also between joined ones."""
    joined = ""
    for line in text.splitlines():
        if line.lstrip().startswith(tuple(comments)):
            continue
        joined += line
        if joined.endswith("\\"):
            joined = joined[:-1] + " "
        else:
            yield joined
            joined = ""
    if joined:
        yield joined


def _quoted(command: str, end: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in re.split(end, command)[0])
    return " ".join(printable.split())[:MAX_QUOTED]
