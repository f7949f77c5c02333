"""Removing an engine's own folders behind its back. Pure."""

import re

from hygiene.lint.rules.calls import talks
from hygiene.lint.shell.values import Fields
from hygiene.lint.shell.words import HOLE

STORAGE = re.compile(
    rf"(?:/var/lib/(?:docker|containerd|containers|buildkit)|(?:~|/root|/home/[^/]+|{HOLE})/\.local/share/(?:docker|containers))"
    r"(?:/.*|\*.*)?"
)


def removes_storage(fields: Fields) -> bool:
    """`rm -rf /var/lib/docker`, what is below it, and `find` that deletes there."""
    if not fields or talks(fields):
        return False
    texts = [field.text for field in fields]
    names = [field.name for field in fields]
    if "find" in names:
        rest = texts[names.index("find") + 1 :]
        deletes = "-delete" in rest or ("rm" in names and any(text.startswith("-exec") for text in rest))
        return deletes and any(_is_storage(text) for text in rest[:3])
    rest = texts[names.index("rm") + 1 :] if "rm" in names else []
    deep = any(re.fullmatch(r"-\w*[rR]\w*|--recursive", text) for text in rest)
    return deep and any(_is_storage(text) for text in rest)


def _is_storage(text: str) -> bool:
    return STORAGE.fullmatch(re.sub(r"//+", "/", text)) is not None
