"""Links between the documents lead somewhere, and nothing in them belongs to one machine."""

import re
from pathlib import Path

import pytest

from tests.docs.reading import PROJECT, documents, name_of

LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
OF_ONE_MACHINE = re.compile(r"/work\b|/tmp/|/home/\w|/root\b|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b")
LOOPBACK = "127.0.0.1"


def anchors(document: Path) -> set[str]:
    """What a heading is called in an address, as the usual viewers of Markdown make it."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(document: Path) -> list[str]:
    return [found["target"] for found in LINK.finditer(document.read_text())]


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in links(document):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        assert there.is_file(), f"{target}: no such file"
        assert not anchor or anchor in anchors(there), f"{target}: no such heading"


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_nothing_belongs_to_one_machine(document: Path) -> None:
    found = [text for text in OF_ONE_MACHINE.findall(document.read_text()) if text != LOOPBACK]
    assert found == []


def test_every_document_can_be_reached_from_the_first() -> None:
    reached, to_read = set(), [PROJECT / "README.md"]
    while to_read:
        document = to_read.pop()
        reached.add(document)
        local = [target.partition("#")[0] for target in links(document) if not target.startswith("https://")]
        found = {(document.parent / path).resolve() for path in local if path.endswith(".md")}
        to_read += sorted(found - reached - set(to_read))
    assert {name_of(document) for document in documents()} == {name_of(document) for document in reached}


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_files_that_are_pointed_at_are_there(document: Path) -> None:
    named = re.findall(r"`((?:audits|docs|launchplane|hygiene|tests|templates|script)/[\w./-]+)`", document.read_text())
    assert [path for path in named if not (PROJECT / path).exists()] == []
