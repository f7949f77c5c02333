"""The record of what proves what: kept over runs, dropped with a failure, and never for an id that does not exist."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import DOCUMENT, Outcome, Record, counted, filled, main, proofs, requirement_ids

PROJECT = Path(__file__).parents[2]
SETTINGS = "[pytest]\ntestpaths = checks\nmarkers =\n  req(id): proves a line\n"
PASSES = "import pytest\n@pytest.mark.req('H11')\n@pytest.mark.req('H12')\ndef test_one():\n    assert True\n"
FAILS = PASSES.replace("True", "False")
OTHER = "import pytest\n@pytest.mark.req('X3')\ndef test_two():\n    pass\n"
TABLE = (
    "| id | requirement | proven by |\n|---|---|---|\n| H1 | It only looks. | open |\n| H2 | It is typed. | open |\n"
)
ONE, TWO = "checks/test_one.py::test_one", "checks/test_two.py::test_two"


@pytest.fixture
def checks(tmp_path: Path) -> Path:
    """A project of two test files, one after the other put into its folder of tests."""
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "test_one.py").write_text(PASSES)
    (tmp_path / "checks" / "test_two.py").write_text(OTHER)
    return tmp_path


def run(project: Path, *arguments: str) -> tuple[int, str]:
    """pytest with the plugin, in a project that has its record beside its tests."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.requirements", *arguments]
    own = {"PYTHONPATH": str(PROJECT), "REQUIREMENTS_RECORD": str(project / "record.json")}
    settings = os.environ | own | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=project, env=settings, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def recorded(project: Path) -> dict[str, bool]:
    kept = json.loads((project / "record.json").read_text())
    return {node: outcome["passed"] for node, outcome in kept.items()}


def test_what_passed_is_recorded_with_all_its_ids(checks: Path) -> None:
    run(checks)
    kept = json.loads((checks / "record.json").read_text())
    assert kept == {ONE: {"ids": ["H11", "H12"], "passed": True}, TWO: {"ids": ["X3"], "passed": True}}


def test_a_part_of_the_tests_leaves_the_others_as_they_were(checks: Path) -> None:
    run(checks)
    (checks / "checks" / "test_one.py").write_text(FAILS)
    run(checks, "checks/test_one.py")
    assert recorded(checks) == {ONE: False, TWO: True}


def test_all_of_the_tests_start_anew(checks: Path) -> None:
    run(checks)
    (checks / "checks" / "test_two.py").unlink()
    run(checks)
    assert recorded(checks) == {ONE: True}


@pytest.mark.parametrize("arguments", [["-k", "one"], ["-m", "not req"], ["--collect-only"], ["--deselect", TWO]])
def test_a_selection_is_a_part(checks: Path, arguments: list[str]) -> None:
    run(checks)
    run(checks, *arguments)
    assert recorded(checks) == {ONE: True, TWO: True}


def test_a_mark_that_was_taken_off_is_out_of_the_record(checks: Path) -> None:
    run(checks)
    (checks / "checks" / "test_two.py").write_text("def test_two():\n    pass\n")
    run(checks, "checks/test_two.py")
    assert recorded(checks) == {ONE: True}


@pytest.mark.parametrize("line", ["pytest.skip('not here')", "pytest.xfail('not yet')", "raise ValueError"])
def test_what_did_not_pass_proves_nothing(checks: Path, line: str) -> None:
    (checks / "checks" / "test_two.py").write_text(OTHER.replace("    pass", f"    {line}"))
    run(checks)
    assert not recorded(checks).get(TWO)


def test_a_failing_teardown_proves_nothing(checks: Path) -> None:
    fixture = "\n@pytest.fixture(autouse=True)\ndef broken():\n    yield\n    raise ValueError\n"
    (checks / "checks" / "test_two.py").write_text(OTHER + fixture)
    run(checks)
    assert recorded(checks) == {ONE: True, TWO: False}


def test_an_id_that_does_not_exist_ends_the_session_with_a_sentence(checks: Path) -> None:
    (checks / "checks" / "test_two.py").write_text(OTHER.replace("X3", "H999"))
    status, output = run(checks)
    assert status == pytest.ExitCode.USAGE_ERROR
    assert f'{TWO} carries req("H999"), and docs/requirements.md has no such id' in output
    assert not (checks / "record.json").exists()


def test_the_column_names_the_first_test_and_counts_the_others() -> None:
    record: Record = {f"tests/test_{name}.py::test_it": Outcome(("H1",), True) for name in "cab"}
    new = filled(TABLE, proofs(record))
    assert "| H1 | It only looks. | `tests/test_a.py::test_it` and 2 more |" in new
    assert "| H2 | It is typed. | open |" in new
    assert counted(new) == "1 of 2 lines proven, 1 open"


def test_a_test_proves_nothing_if_it_failed_for_one_of_its_parameters() -> None:
    record: Record = {
        "tests/test_a.py::test_it[1]": Outcome(("H1",), True),
        "tests/test_a.py::test_it[2]": Outcome(("H1",), False),
    }
    assert proofs(record) == {"H1": []}


def test_filling_twice_changes_nothing_more() -> None:
    record: Record = {"tests/test_a.py::test_it": Outcome(("H2",), True)}
    once = filled(TABLE, proofs(record))
    assert filled(once, proofs(record)) == once
    assert filled(once, {}) == TABLE


def test_check_tells_which_lines_are_out_of_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, document = tmp_path / "record.json", tmp_path / "requirements.md"
    record.write_text(json.dumps({"tests/test_a.py::test_it": {"ids": ["H2"], "passed": True}}))
    document.write_text(TABLE)
    assert main(["--check"], path=record, document=document) == 1
    assert "out of date (H2)" in capsys.readouterr().err
    assert document.read_text() == TABLE
    assert main([], path=record, document=document) == 0
    assert main(["--check"], path=record, document=document) == 0


def test_what_failed_in_one_of_two_runs_is_not_proven(tmp_path: Path) -> None:
    first, second = tmp_path / "record.json", tmp_path / "second.json"
    first.write_text(json.dumps({name: {"ids": ["H2"], "passed": name != "b"} for name in "abc"}))
    second.write_text(json.dumps({name: {"ids": ["H2"], "passed": name != "c"} for name in "bcd"}))
    assert main(["--add", str(second)], path=first) == 0
    assert recorded(tmp_path) == {"a": True, "b": False, "c": False, "d": True}


def test_a_whole_run_in_parts_starts_the_record_anew(tmp_path: Path) -> None:
    record, part, none = tmp_path / "record.json", tmp_path / "part.json", tmp_path / "nothing.json"
    record.write_text(json.dumps({"forgotten": {"ids": ["H2"], "passed": True}}))
    part.write_text(json.dumps({"a": {"ids": ["H2"], "passed": True}}))
    assert main(["--anew", str(part), str(none)], path=record) == 0
    assert recorded(tmp_path) == {"a": True}


def test_without_a_record_it_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], path=tmp_path / "none.json") == 2
    assert "script/test makes one" in capsys.readouterr().err


def test_every_id_of_the_document_is_there_once() -> None:
    ids = requirement_ids(DOCUMENT.read_text())
    assert len(ids) == len(set(ids))
    assert {name[0] for name in ids} == set("HMLPDX")
