"""Which requirement is proven by which test: recorded as tests pass, and written into docs/requirements.md.

As a pytest plugin it keeps the `req` marks of every test that ran, with how it ended, in var/requirements.json (or
where REQUIREMENTS_RECORD says). `python -m tests.requirements [--check]` fills the document's third column from it, and
`--add FILE…` adds what the parts of a run recorded elsewhere; `--anew FILE…` does, and forgets what was there.
"""

import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import pytest

PROJECT = Path(__file__).parents[1]
DOCUMENT = PROJECT / "docs" / "requirements.md"
ROW = re.compile(r"\| (?P<id>[HMLPDX]\d+) \| (?P<text>.*) \| (?P<proof>[^|]*) \|")
OPEN = "open"


class Outcome(NamedTuple):
    """The requirements that a test carries, and whether it passed when it last ran."""

    ids: tuple[str, ...]
    passed: bool


Record = dict[str, Outcome]


# --- recording -------------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    recorder = Recorder(config, record_path(), requirement_ids(DOCUMENT.read_text()))
    config.pluginmanager.register(recorder, "requirements")


class Recorder:
    """Remembers how each marked test of one session ended, and adds that to the record."""

    def __init__(self, config: pytest.Config, path: Path, known: Sequence[str]) -> None:
        self._config = config
        self._path = path
        self._known = frozenset(known)
        self._ids: dict[str, tuple[str, ...]] = {}
        self._passed: dict[str, bool] = {}
        self._whole = not (config.option.keyword or config.option.markexpr) and _asks_for_everything(config)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Raises UsageError for an id that the document does not have: a misspelt one would prove nothing."""
        for item in items:
            self._ids[item.nodeid] = ids = ids_of(item)
            if unknown := [name for name in ids if name not in self._known]:
                raise pytest.UsageError(
                    f'{item.nodeid} carries req("{unknown[0]}"), and docs/requirements.md has no such id'
                )

    def pytest_deselected(self) -> None:
        self._whole = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or hasattr(report, "wasxfail"):
            self._passed[report.nodeid] = False
        elif report.when == "call" and report.passed:
            self._passed.setdefault(report.nodeid, True)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A run of everything starts the record anew; any other leaves what it did not run as it was."""
        finished = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not session.shouldfail
        old = read(self._path)
        new = merged({} if self._whole and finished else old, self._ids, self._passed)
        if self._passed and new != old:
            write(self._path, new)


def merged(old: Record, ids: Mapping[str, tuple[str, ...]], passed: Mapping[str, bool]) -> Record:
    """`old` with what ran now; a test that ran and carries no id any more is out of it."""
    ran = {node: Outcome(ids[node], ended_well) for node, ended_well in passed.items() if ids.get(node)}
    return {node: outcome for node, outcome in old.items() if node not in passed} | ran


def added(record: Record, other: Record) -> Record:
    """Both records in one; what did not pass in either of them proves nothing."""
    both = {
        node: outcome._replace(passed=outcome.passed and record.get(node, outcome).passed)
        for node, outcome in other.items()
    }
    return record | both


def ids_of(item: pytest.Item) -> tuple[str, ...]:
    """The ids in all of a test's `req` marks, in order."""
    return tuple(sorted({str(name) for mark in item.iter_markers("req") for name in mark.args}, key=_by_letter))


def _asks_for_everything(config: pytest.Config) -> bool:
    asked = [(config.invocation_params.dir / argument).resolve() for argument in config.args]
    return asked == [(config.rootpath / name).resolve() for name in config.getini("testpaths")]


# --- the record ------------------------------------------------------------------------------------------------------


def record_path() -> Path:
    """Outside of LAUNCHPLANE_VAR, which a run of the tests has for itself and takes away again."""
    return Path(os.environ.get("REQUIREMENTS_RECORD") or PROJECT / "var" / "requirements.json")


def read(path: Path) -> Record:
    """The record at `path`, empty if there is none yet."""
    if not path.exists():
        return {}
    return {node: Outcome(tuple(kept["ids"]), kept["passed"]) for node, kept in json.loads(path.read_text()).items()}


def write(path: Path, record: Record) -> None:
    """Put `record` in its place at once, so that nobody ever reads half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    plain = {node: outcome._asdict() for node, outcome in sorted(record.items())}
    unfinished.write_text(json.dumps(plain, indent=1) + "\n")
    unfinished.replace(path)


# --- the document ----------------------------------------------------------------------------------------------------


def requirement_ids(text: str) -> list[str]:
    """The ids of the rows of a document, in its order."""
    return [row["id"] for line in text.splitlines() if (row := ROW.fullmatch(line))]


def proofs(record: Record) -> dict[str, list[str]]:
    """By id the tests (without parameters) that prove it; one proves nothing if any of its parameters failed."""
    by_test: dict[str, dict[str, bool]] = defaultdict(dict)
    for node, outcome in record.items():
        for name in outcome.ids:
            test = by_test[name]
            test[node.partition("[")[0]] = test.get(node.partition("[")[0], True) and outcome.passed
    return {name: sorted(test for test, passed in tests.items() if passed) for name, tests in by_test.items()}


def filled(text: str, found: Mapping[str, Sequence[str]]) -> str:
    """The document with its third column as `found` says."""
    return "\n".join(_filled_row(line, found) for line in text.split("\n"))


def _filled_row(line: str, found: Mapping[str, Sequence[str]]) -> str:
    row = ROW.fullmatch(line)
    return f"| {row['id']} | {row['text']} | {_proof(found.get(row['id'], []))} |" if row else line


def _proof(tests: Sequence[str]) -> str:
    if not tests:
        return OPEN
    more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
    return f"`{tests[0]}`{more}"


def counted(text: str) -> str:
    """How many rows of a document have a test, in a sentence."""
    rows = [row for line in text.splitlines() if (row := ROW.fullmatch(line))]
    still_open = sum(row["proof"] == OPEN for row in rows)
    return f"{len(rows) - still_open} of {len(rows)} lines proven, {still_open} open"


def differing(old: str, new: str) -> Iterator[str]:
    """The ids whose rows are not the same in two versions of a document."""
    before = set(old.splitlines())
    yield from requirement_ids("\n".join(line for line in new.splitlines() if line not in before))


def _by_letter(name: str) -> tuple[str, int, str]:
    return name[:1], int(name[1:]) if name[1:].isdecimal() else 0, name


def main(arguments: Sequence[str], *, path: Path | None = None, document: Path = DOCUMENT) -> int:
    """Write the column, or with `--check` only compare it. 1 if it is out of date, 2 if that cannot be told."""
    path = path or record_path()
    if arguments[:1] in (["--add"], ["--anew"]):
        parts = [read(Path(name)) for name in arguments[1:]]
        write(path, reduce(added, parts, read(path) if arguments[0] == "--add" else {}))
        return 0
    if arguments not in ([], ["--check"]):
        print("usage: script/requirements [--check]", file=sys.stderr)
        return 2
    if not path.exists():
        print("No run of the tests is on record: script/test makes one.", file=sys.stderr)
        return 2
    text = document.read_text()
    new = filled(text, proofs(read(path)))
    print(counted(new))
    if arguments:
        return _compare(text, new)
    document.write_text(new)
    return 0


def _compare(old: str, new: str) -> int:
    wrong = list(differing(old, new))
    if wrong:
        print(f"docs/requirements.md is out of date ({', '.join(wrong)}): run script/requirements.", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
