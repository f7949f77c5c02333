"""A scalar of YAML with the line of each of its characters, whatever style it is written in. Pure.

PyYAML folds and unescapes, and keeps only where a scalar begins and ends; so its raw text is read again here.
"""

import re

from yaml import ScalarNode

from hygiene.lint.source import Source

ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
NAMED = {"n": "\n", "t": "\t", "0": "\0", "e": "\x1b", "r": "\n", "_": " ", "N": "\n", "L": "\n", "P": "\n"}


def scalar_source(node: ScalarNode, whole: Source) -> Source:
    """The value of `node` in the file `whole`, each character on its line."""
    start, end = node.start_mark.index, node.end_mark.index
    raw = whole.text[start:end]
    if node.style in ("|", ">"):
        header, _, body = raw.partition("\n")
        return _block(body, whole.line_at(start) + 1, folded=header.startswith(">"))
    if node.style in ("'", '"'):
        return _flow(raw[1:-1], whole.line_at(start), quote=node.style)
    return _flow(raw, whole.line_at(start), quote="")


def _block(body: str, line: int, *, folded: bool) -> Source:
    lines = body.split("\n")
    indents = [len(each) - len(each.lstrip(" ")) for each in lines if each.strip()]
    lines = [each[min(indents, default=0) :] for each in lines]
    if not folded:
        return Source.of("\n".join(lines), line)
    pieces = []
    for position, each in enumerate(lines):
        following = lines[position + 1] if position + 1 < len(lines) else ""
        joins = each.strip() and following.strip() and not each[:1].isspace() and not following[:1].isspace()
        pieces.append((each + (" " if joins else "\n"), line + position))
    return Source.joined(pieces)


def _flow(raw: str, line: int, *, quote: str) -> Source:
    """Plain and quoted: one end of a line is a blank, more are one less."""
    lines = raw.split("\n")
    pieces: list[tuple[str, int]] = []
    for position, each in enumerate(lines):
        text = each.lstrip() if position else each
        joined = quote == '"' and re.search(r"(?<!\\)(?:\\\\)*\\$", text) is not None
        text = text[:-1] if joined else text.rstrip() if position < len(lines) - 1 else text
        if position and not text.strip() and position < len(lines) - 1:
            pieces.append(("\n", line + position))
            continue
        pieces.append((_unescaped(text, quote), line + position))
        if position < len(lines) - 1 and not joined:
            pieces.append((" ", line + position))
    # an escaped line end is in the text, and none in the file
    return Source.joined((text, at) for piece, at in pieces for text in piece.splitlines(keepends=True))


def _unescaped(text: str, quote: str) -> str:
    if quote == "'":
        return text.replace("''", "'")
    return ESCAPE.sub(_character, text) if quote else text


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        number = int(code, 16)
        return chr(number) if number < 0x110000 else "\N{REPLACEMENT CHARACTER}"
    return NAMED.get(found[4], found[4])
