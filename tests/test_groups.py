"""A group that cannot run is never silent: skipped with its reason, named at the end, and a failure with CI=true."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
A_BROWSER_TEST = "import pytest\n@pytest.mark.browser\ndef test_page():\n    pass\n"
SKIPS_ITSELF = "import pytest\n@pytest.mark.postgres\ndef test_row():\n    pytest.skip('no row today')\n"


def run(code: str, folder: Path, **environment: str) -> tuple[int, str]:
    """Run pytest with our conftest on one file, where no program can be found."""
    (folder / "test_it.py").write_text(code)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-c",
        "pyproject.toml",
        str(folder / "test_it.py"),
    ]
    settings = os.environ | {"PATH": str(folder), "CI": ""} | environment
    done = subprocess.run(command, cwd=PROJECT, env=settings, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def test_a_group_that_lacks_something_is_skipped_with_the_reason(tmp_path: Path) -> None:
    status, output = run(A_BROWSER_TEST, tmp_path)
    assert (status, "1 skipped" in output) == (0, True)
    assert "GROUP NOT RUN browser: chromium is missing (Debian: apt-get install chromium)" in output


@pytest.mark.parametrize(("code", "reason"), [(A_BROWSER_TEST, "chromium is missing"), (SKIPS_ITSELF, "no row today")])
def test_with_ci_a_skipped_group_is_a_failure(tmp_path: Path, code: str, reason: str) -> None:
    status, output = run(code, tmp_path, CI="true")
    assert status == 1
    assert "with CI=true no group may be skipped" in output
    assert reason in output
