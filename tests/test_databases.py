"""On each database run the tests to which it could make a difference; the others run once."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
TESTS = """
import pytest
def test_pure(): pass
@pytest.mark.django_db
def test_marked(): pass
def test_asking(db): pass
@pytest.mark.any_database
@pytest.mark.django_db
def test_about_something_else(): pass
@pytest.fixture
def a_row(transactional_db): pass
def test_asking_by_a_fixture(a_row): pass
@pytest.mark.engine
def test_on_an_engine(a_row): pass
@pytest.mark.engine
@pytest.mark.each_database
def test_on_an_engine_and_on_each(a_row): pass
@pytest.mark.engine
def test_of_an_engine_alone(): pass
"""


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("databases", ["test_marked", "test_asking", "test_asking_by_a_fixture", "test_on_an_engine_and_on_each"]),
        ("machines", ["test_on_an_engine"]),
        ("others", ["test_pure", "test_about_something_else", "test_of_an_engine_alone"]),
    ],
)
def test_each_test_is_in_one_part(tmp_path: Path, part: str, expected: list[str]) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    options = ["-p", "tests.conftest", "-c", "pyproject.toml", "--collect-only", "-q", "--part", part]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path / "test_it.py")]
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True).stdout
    kept = [line.rpartition("::")[2] for line in told.splitlines() if "::" in line]
    assert sorted(kept) == sorted(expected)
