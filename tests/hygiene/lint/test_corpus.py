"""Real-world spellings, written for this purpose: each bad one is found on its line, no good one is a finding."""

from functools import cache
from pathlib import Path

import pytest

from hygiene.lint.contracts import LintResult
from hygiene.lint.lint import lint

CORPUS = Path(__file__).parent / "corpus"
BAD, GOOD = CORPUS / "bad", CORPUS / "good"


def spellings(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@cache
def found_in(folder: Path) -> LintResult:
    return lint([folder])


def found(folder: Path, name: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in found_in(folder).findings if finding.path == name]


def expected() -> dict[str, list[tuple[int, str]]]:
    """What stands in expected.txt: a file, a line, a code."""
    wanted: dict[str, list[tuple[int, str]]] = {name: [] for name in spellings(BAD)}
    for line in (CORPUS / "expected.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, number, code = line.split()
            wanted[name].append((int(number), code))
    return wanted


@pytest.mark.req("H60")
@pytest.mark.parametrize("name", spellings(BAD))
def test_each_bad_spelling_is_found_on_its_line_with_its_code(name: str) -> None:
    wanted = expected()[name]

    assert wanted, "expected.txt says nothing of it"
    assert found(BAD, name) == sorted(wanted)


@pytest.mark.req("H60")
@pytest.mark.parametrize("name", spellings(GOOD))
def test_no_good_spelling_is_a_finding(name: str) -> None:
    assert found(GOOD, name) == []


def test_everything_in_the_corpus_could_be_looked_at() -> None:
    assert [*found_in(BAD).unread, *found_in(GOOD).unread] == []


@pytest.mark.req("H60")
def test_precision_and_recall_over_at_least_sixty_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    bad, good = spellings(BAD), spellings(GOOD)
    told = {finding.path for finding in found_in(BAD).findings}
    false = {finding.path for finding in found_in(GOOD).findings}
    right = len(told & set(bad))

    recall, precision = right / len(bad), right / (right + len(false))
    with capsys.disabled():
        print(f"\nlint corpus: {len(bad)} bad, {len(good)} good: precision {precision:.3f}, recall {recall:.3f}")

    assert min(len(bad), len(good)) >= 60
    assert (precision, recall) == (1.0, 1.0)
