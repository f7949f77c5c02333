"""The reference of the interface for programs says what it does: addresses, actions, parameters, codes."""

import re

import pytest

from launchplane.access.actions import Action
from launchplane.api.app import api
from launchplane.api.errors import STATUSES
from launchplane.problem_documents import KNOWN
from tests.api.test_access import TABLE
from tests.docs.reading import PROJECT, cells, text_of

HTTP = "docs/reference/http.md"
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in api.get_openapi_schema()["paths"].items()
    for method, operation in operations.items()
}
RAISED = re.compile(r'(?:NotTaken|Problem|Refused|Waits|_conflict|_later)\((?:[\w.]+,\s*)?"([a-z_]+)"')
# by their beginning: a bearer that is none
BEARERS = ("token_", "workflow_")


def rows() -> dict[str, list[str]]:
    """Of each request the action it needs and what is said of it."""
    return {row[0].strip("`"): row[1:] for row in cells(HTTP) if len(row) == 3 and " /v1/" in row[0]}


def test_every_operation_is_there_and_no_other() -> None:
    assert set(rows()) == set(OPERATIONS) | {"GET /v1/openapi.json"}


@pytest.mark.parametrize("request_line", OPERATIONS)
def test_each_needs_the_action_that_is_shown(request_line: str) -> None:
    shown = re.findall(r"`([a-z_.]+)`", rows()[request_line][0])

    assert [Action(name) for name in shown] == [TABLE[OPERATIONS[request_line]["operationId"]].action]


@pytest.mark.parametrize("request_line", OPERATIONS)
def test_each_parameter_is_named(request_line: str) -> None:
    names = {found["name"] for found in OPERATIONS[request_line]["parameters"] if found["in"] == "query"}

    assert [name for name in sorted(names) if f"`{name}`" not in text_of(HTTP)] == []


def test_every_status_and_every_code_is_there() -> None:
    text = text_of(HTTP)
    raised = (
        {code for path in (PROJECT / "launchplane/api").rglob("*.py") for code in RAISED.findall(path.read_text())}
        | set(STATUSES)
        | {code for status, (_, code, _) in KNOWN.items() if status < 500}
    )
    unusual = {"conflict", "forbidden", "precondition_failed"}

    assert [code for code in sorted(raised - unusual) if f"`{code}`" not in text] == []
    assert [status for status in KNOWN if status != 500 and f"| {status} |" not in text] == []
