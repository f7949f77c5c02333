"""The result as SARIF 2.1.0: what the standard requires is there, and every result points at a rule and a place."""

from pathlib import Path
from typing import Any, get_args

from hygiene.lint.contracts import Code
from hygiene.lint.lint import Options, lint
from hygiene.lint.sarif import sarif
from hygiene.lint.wording import WORDS

CORPUS = Path(__file__).parent / "corpus" / "bad"


def the_run(folder: Path, **options: tuple[str, ...]) -> dict[str, Any]:
    document = sarif(lint([folder], Options(**options)))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    run: dict[str, Any] = document["runs"][0]
    return run


def test_each_code_is_a_rule_with_its_words() -> None:
    rules = the_run(CORPUS)["tool"]["driver"]["rules"]

    assert {rule["id"] for rule in rules} == set(WORDS) == set(get_args(Code))
    assert all(rule[part]["text"] for rule in rules for part in ("shortDescription", "fullDescription", "help"))


def test_each_result_has_a_message_its_rule_and_a_place() -> None:
    run = the_run(CORPUS)
    rules = run["tool"]["driver"]["rules"]

    assert len(run["results"]) > 100
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert (CORPUS / place["artifactLocation"]["uri"]).is_file()
        assert place["region"]["startLine"] >= 1
    assert run["invocations"][0]["executionSuccessful"] is True


def test_what_was_allowed_is_suppressed_and_what_was_not_read_is_a_notification(tmp_path: Path) -> None:
    (tmp_path / "a b.sh").write_text("docker system prune -f # hygiene-lint: allow on a machine of its own\n")
    (tmp_path / "binary.sh").write_bytes(b"\0")

    run = the_run(tmp_path)

    (result,) = run["results"]
    assert result["suppressions"] == [{"kind": "inSource", "justification": "on a machine of its own"}]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.sh"
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert [notice["message"]["text"] for notice in invocation["toolExecutionNotifications"]] == [
        "Not looked at: it is binary."
    ]
