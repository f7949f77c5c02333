"""The description of `/v1` (OpenAPI 3.1): what the framework finds out by itself, made whole.

Errors are problem documents in their own media type, each answer that every address may give is there, and each answer
and body has an example, from `answers/`. An operation's id follows from its method and address alone, so it stays.
"""

import json
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from ninja.openapi.schema import OpenAPISchema

from launchplane.problem_documents import CONTENT_TYPE, KNOWN, ProblemDocument

# whatever is asked for: an address may be called in a way that nobody can read, by nobody, or at a bad time
EVERYWHERE: Final = (400, 401, 403, 406, 422, 503)
PROBLEM: Final = {"$ref": "#/components/schemas/ProblemDocument"}
ANSWERS: Final = Path(__file__).with_name("answers")
TAGS: Final = {
    "hosts": "Hosts, and what was last seen of each. Nothing here looks at a host.",
    "lanes": "Runner lanes, and whether product repositories can rely on one.",
    "changes": "Plans and what became of them. A plan is a dry-run: nothing here asks anybody or applies anything.",
    "evidence": "Audit records: handed in, read, and taken away to be verified.",
}
HEADERS: Final = {
    "WWW-Authenticate": "How one is let in (RFC 6750).",
    "Retry-After": "After how many seconds to try again.",
    "Location": "Where to read it.",
    "Idempotency-Replayed": "`true` if this answer was given before.",
}
HEADERS_OF: Final = {
    201: ("Location", "Idempotency-Replayed"),
    202: ("Retry-After",),
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
# always there; the others only where they apply
REQUIRED: Final = {(201, "Location"), (202, "Retry-After"), (401, "WWW-Authenticate"), (429, "Retry-After")}

# of parameters that say nothing of themselves; in a path an example, too
DESCRIPTIONS: Final = {
    "after": "Go on after this name (`next_after`).",
    "class": "Only what is judged to be this.",
    "format": "Lines of JSON, or a table.",
    "host": "Only of this host.",
    "Idempotency-Key": "A new one for each thing, the same to try again: then the answer is the same, too.",
    "key": "Only of this audit.",
    "kind": "Only of this kind.",
    "lane": "Only of this lane.",
    "limit": "At most so many.",
    "sort": "In this order; a `-` before it turns it around.",
    "source": "Only what came through this door.",
    "status": "Only what stands like this.",
    "text": "Only what has this in its name.",
}
IN_PATHS: Final = {
    ("changes", "id"): ("A change's id.", "1db1fb3a-d23a-4d31-a27b-c209fb446dfa"),
    ("evidence", "key"): ("An audit's key: a change's id, or the sender's own.", "nightly-2026-01-08"),
    ("hosts", "name"): ("A host's name.", "ci-1"),
    ("lanes", "name"): ("A lane's name.", "website"),
}


def finish(schema: OpenAPISchema) -> OpenAPISchema:
    """`schema`, whole."""
    schema["components"]["schemas"]["ProblemDocument"] = ProblemDocument.model_json_schema()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            operation["operationId"] = operation_id(method, path)
            operation["tags"] = [path.split("/")[2]]
            _finish_parameters(operation)
            _finish_answers(operation)
    schema["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    return schema


def operation_id(method: str, path: str) -> str:
    """Such as `get_hosts_by_name_report` for GET /v1/hosts/{name}/report."""
    words = re.sub(r"\{(\w+)\}", r"by_\1", path.removeprefix("/v1/"))
    return f"{method}_{re.sub('[^a-z0-9]+', '_', words)}"


def _finish_parameters(operation: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        name = parameter["name"]
        if (known := IN_PATHS.get((operation["tags"][0], name))) and parameter["in"] == "path":
            parameter["description"], parameter["example"] = known
        parameter.setdefault("description", DESCRIPTIONS.get(name, ""))


def _finish_answers(operation: dict[str, Any]) -> None:
    answers = {int(status): answer for status, answer in operation["responses"].items()}
    for status in EVERYWHERE:
        answers.setdefault(status, {})
    for status, answer in answers.items():
        if status >= HTTPStatus.BAD_REQUEST:
            answer.update(_problem(status))
        elif (example := _example(operation["operationId"], status)) is not None:
            answer["content"]["application/json"]["example"] = example
        if names := HEADERS_OF.get(status):
            answer["headers"] = answer.get("headers", {}) | {name: _header(status, name) for name in names}
    operation["responses"] = {str(status): answers[status] for status in sorted(answers)}


def _problem(status: int) -> dict[str, Any]:
    title, code, detail = KNOWN[status]
    example = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    return {"description": title, "content": {CONTENT_TYPE: {"schema": PROBLEM, "example": example}}}


def _header(status: int, name: str) -> dict[str, Any]:
    kind = "integer" if name == "Retry-After" else "string"
    required = (status, name) in REQUIRED
    return {"description": HEADERS[name], "required": required, "schema": {"type": kind}}


@cache
def _example(operation_id: str, status: int) -> Any:
    # what a plan leads to is the change, as it is read later
    name = "get_changes_by_id.200" if (operation_id, status) == ("post_changes", 201) else f"{operation_id}.{status}"
    file = ANSWERS / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else None
