"""What holds for every workflow file that users get: few rights, nothing unpinned, nothing a stranger can start."""

import ast
import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.workflows.document import HYGIENE_REPORT, LANE_DRY_RUN, Workflow, workflow, workflows

# of GitHub's syntax of workflows, as much as these files may use
KEYS: dict[str, set[Any]] = {
    "file": {"name", "run-name", True, "permissions", "concurrency", "defaults", "jobs"},
    "job": {"name", "if", "runs-on", "timeout-minutes", "permissions", "env", "steps"},
    "step": {"name", "if", "env", "run", "uses", "with"},
    "input": {"description", "required", "type", "options", "default"},
}
EXPRESSION = re.compile(r"\$\{\{ ?(.*?) ?\}\}")
HEREDOC = re.MULTILINE | re.DOTALL
PINNED = re.compile(r"^\s*uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", re.MULTILINE)


@pytest.fixture(params=workflows())
def file(request: pytest.FixtureRequest) -> Workflow:
    return workflow(request.param)


def test_there_are_these_files_and_no_other() -> None:
    assert workflows() == [LANE_DRY_RUN, HYGIENE_REPORT]


def test_github_knows_every_key(file: Workflow) -> None:
    assert set(file.said) <= KEYS["file"]
    assert set(file.job) <= KEYS["job"]
    assert all(set(step) <= KEYS["step"] and ("run" in step) != ("uses" in step) for step in file.steps)
    assert all(set(told) <= KEYS["input"] for told in file.inputs.values())
    assert all(("options" in told) == (told["type"] == "choice") for told in file.inputs.values())
    assert all(told.get("default", told["options"][0]) in told["options"] for told in choices(file))
    assert len({step["name"] for step in file.steps}) == len(file.steps)


def choices(file: Workflow) -> list[dict[str, Any]]:
    return [told for told in file.inputs.values() if told["type"] == "choice"]


def test_the_head_says_whom_it_is_for_and_where_the_rest_is_written(file: Workflow) -> None:
    head = "".join(line for line in file.text.splitlines(keepends=True) if line.startswith("#"))
    assert "For users of Launchplane: copy this file into .github/workflows/" in head
    assert re.search(r"docs/how-to/[a-z-]+\.md", head)
    assert file.text.startswith("#")


def test_nobody_starts_it_but_a_person_or_the_clock(file: Workflow) -> None:
    assert set(file.triggers) <= {"workflow_dispatch", "schedule"}


def test_it_may_ask_who_it_is_and_nothing_else(file: Workflow) -> None:
    assert file.said["permissions"] == {}
    assert file.job["permissions"] == {"id-token": "write"}
    assert "secrets." not in file.text
    assert "github.token" not in file.text


def test_every_action_is_pinned_to_a_commit_and_says_its_version(file: Workflow) -> None:
    assert len(PINNED.findall(file.text)) == sum("uses" in step for step in file.steps) > 0


def test_no_shell_has_an_expression_in_it(file: Workflow) -> None:
    assert [name for name, script in file.shells if "${{" in script] == []


def test_every_expression_is_of_a_kind_that_has_no_surprise(file: Workflow) -> None:
    plain = re.compile(r"(inputs|vars)\.\w+|github\.(repository_id|run_id|run_attempt)|runner\.temp")
    parts = [part for found in EXPRESSION.findall(file.text) for part in found.split(" || ")]
    assert [part for part in parts if not plain.fullmatch(part)] == []


def test_it_ends_in_time_and_one_at_a_time(file: Workflow) -> None:
    assert 0 < file.job["timeout-minutes"] <= 25
    assert file.said["concurrency"]["group"].startswith("launchplane-")
    assert file.said["concurrency"]["cancel-in-progress"] is False


def test_every_shell_is_bash_and_stops_at_the_first_error(file: Workflow) -> None:
    assert file.said["defaults"] == {"run": {"shell": "bash"}}
    assert [name for name, script in file.shells if not script.startswith("set -euo pipefail\n")] == []


def test_curl_says_when_it_failed_waits_for_a_while_and_reads_no_settings_of_others(file: Workflow) -> None:
    calls = re.findall(r"^\s*(?:\S*\| )?curl .*", file.text.replace("\\\n", " "), re.MULTILINE)
    assert calls
    for call in calls:
        assert re.search(r"curl --disable --config - .*--fail-with-body --max-time \d+ --max-filesize \d+", call)
    assert not re.search(r"--location|-L\b|--insecure|-k\b|--verbose|--trace|set -x", file.text)


def test_the_result_is_kept_however_it_ends(file: Workflow) -> None:
    last = file.steps[-1]
    assert last["if"] == "always()"
    assert last["uses"].startswith("actions/upload-artifact@")
    assert last["with"]["if-no-files-found"] == "error"


def test_its_python_is_as_old_as_on_the_oldest_hosts(file: Workflow) -> None:
    programs = [program for _, script in file.shells for program in re.findall(r"<<'PY'\n(.*?)^PY$", script, HEREDOC)]
    assert programs
    for program in programs:
        ast.parse(program, feature_version=(3, 9))


def test_a_token_is_asked_for_in_one_way_wherever_that_is() -> None:
    asking = [script for name in workflows() for _, script in workflow(name).shells if "ID_TOKEN_REQUEST" in script]
    ways = {script[script.index("# takes curl's") : script.index("\nwork=")].rpartition("}")[0] for script in asking}
    assert len(asking) == 3
    assert len(ways) == 1


@pytest.mark.skipif(
    shutil.which("shellcheck") is None, reason="shellcheck is missing (Debian: apt-get install shellcheck)"
)
def test_shellcheck_has_nothing_against_its_shells(file: Workflow) -> None:
    for name, script in file.shells:
        done = subprocess.run(
            ["shellcheck", "--shell=bash", "-"], input=script, text=True, capture_output=True, check=False
        )
        assert done.stdout == "", f"{file.name}, {name}"
