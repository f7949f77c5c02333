"""The documents as tests read them: files, fenced blocks, commands, headings, tables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
MANAGE = ".venv/bin/python manage.py"
ANOTHER_MACHINE = "ci-2.example.org"


class Block(NamedTuple):
    """A fenced block, and the document that shows it."""

    document: str
    language: str
    text: str


def documents() -> list[Path]:
    """Every document of the project, sorted."""
    return sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])


def name_of(document: Path) -> str:
    return str(document.relative_to(PROJECT))


def text_of(name: str) -> str:
    return (PROJECT / name).read_text()


def blocks(language: str) -> Iterator[Block]:
    """The fenced blocks of one language, in the order of the documents."""
    for document in documents():
        for found in FENCE.finditer(document.read_text()):
            if found["language"] == language:
                yield Block(name_of(document), language, found["text"])


def commands(block: Block) -> list[str]:
    """What a block of shell asks to run, one each, as somebody would type it."""
    return [line.strip() for line in block.text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def runs_itself(block: Block) -> bool:
    """True for what test_commands.py runs as it stands: anything around `manage.py`, but for another machine."""
    return MANAGE in block.text and ANOTHER_MACHINE not in block.text


def cells(name: str) -> Iterator[list[str]]:
    """The cells of every row of every table in a document, without the lines under the titles."""
    return rows_of(text_of(name))


def rows_of(text: str) -> Iterator[list[str]]:
    """The same of a part of a document."""
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def codes(name: str, column: int = 0) -> set[str]:
    """Everything set as code in one column of a document's tables."""
    return {code for row in cells(name) if len(row) > column for code in re.findall(r"`([^`]+)`", row[column])}
