"""docs/reference/on-the-host.md names what the programs have: verbs, codes, statuses and fields, and no others."""

import ast
import re
from pathlib import Path

from onhost import config, docker, docker_part, door, lane_call, refusals, runner, unit
from tests.onhost.room import PROJECT

TEXT = (PROJECT / "docs/reference/on-the-host.md").read_text()
INSTALLING = ("sudoers.py", "authorized_keys.py")
RAISED = frozenset({"BadRequest", "Busy", "Refused", "Failed", "Untrusted", "_bad", "_odd"})
ENGINE = frozenset({"CallFailed", "EngineReplaced", "EngineUnavailable", "HostProblem"})


def section(title: str) -> str:
    """The text below one heading."""
    return TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def first_column(title: str) -> set[str]:
    """Every word in code in the first column of a section's table."""
    rows = re.findall(r"^\| (`[^|]+) \|", section(title), re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def raised(source: Path, by: frozenset[str] = RAISED) -> set[str]:
    """The codes that a file can answer with."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        at = 1 if node.func.id == "_require_after" else 0
        if node.func.id in by | {"_require_after"} and len(node.args) > at:
            code = node.args[at]
            found |= {code.value} if isinstance(code, ast.Constant) and isinstance(code.value, str) else set()
    return found


def test_every_code_is_there_and_no_other() -> None:
    sources = [path for path in (PROJECT / "onhost").glob("*.py") if path.name not in INSTALLING]
    codes = set().union(*map(raised, sources))
    codes |= {"wrong_user", "wrong_root", "wrong_unit", "system_call", "unexpected"}
    assert first_column("Codes") == codes


def test_every_code_of_the_engine_is_there_and_no_other() -> None:
    found = (raised(path, ENGINE) for path in (PROJECT / "onhost/engine").glob("*.py"))
    assert first_column("Codes of the engine") == set().union(*found)


def test_every_verb_is_there_and_no_other() -> None:
    assert first_column("Verbs of launchplane-unit") == set(unit.VERBS)
    assert first_column("Verbs of launchplane-runner") == set(runner.VERBS)
    assert first_column("Verbs of launchplane-docker") == set(docker.VERBS)


def test_every_field_of_a_verb_is_there() -> None:
    for name, verbs in (("runner", runner.VERBS), ("docker", docker.VERBS)):
        for verb in verbs.values():
            assert not [field for field in verb.fields if f"`{field}`" not in section(f"Verbs of launchplane-{name}")]


def test_every_field_of_a_request_is_there_and_no_other() -> None:
    assert first_column("Request and answer") == door.COMMON | lane_call.FIELDS | door.CHANGING


def test_every_field_of_host_json_is_there_and_no_other() -> None:
    assert first_column("host.json") == config.NEEDED | config.OPTIONAL | config.LANE_FIELDS
    assert first_column("The engine in host.json") == docker_part.NEEDED | docker_part.OPTIONAL


def test_the_host_json_that_is_shown_is_a_good_one() -> None:
    shown = section("host.json").split("\n\n", 1)[0]
    assert list(config.parse(shown.encode()).lanes) == ["cm-website-chris-testing"]


def test_every_exit_status_is_there() -> None:
    kinds = (refusals.BadRequest, refusals.Busy, refusals.Refused, refusals.Failed, refusals.Untrusted)
    shown = re.findall(r"^\| (\d) \|", section("Request and answer"), re.MULTILINE)
    assert list(map(int, shown)) == [0, door.UNEXPECTED, *(kind.status for kind in kinds)]
