"""The run on a second database leaves out nothing that a database could make a difference to."""

import subprocess
import sys
from pathlib import Path

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
"""


def test_only_what_uses_no_database_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    options = ["-p", "tests.conftest", "-c", "pyproject.toml", "--collect-only", "-q", "--on-another-database"]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path / "test_it.py")]
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=True).stdout
    kept = [line.rpartition("::")[2] for line in told.splitlines() if "::" in line]
    assert kept == ["test_marked", "test_asking", "test_asking_by_a_fixture"]
