"""A result as SARIF 2.1.0, the form in which code hosts take findings of any tool. Pure."""

from typing import Any
from urllib.parse import quote

from hygiene.lint.contracts import Allowed, LintFinding, LintResult, Unread
from hygiene.lint.wording import WORDS

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(result: LintResult) -> dict[str, Any]:
    """One run; what was allowed is there as suppressed, what was not read as a notification of the tool."""
    rules = sorted(WORDS)
    run = {
        "tool": {"driver": {"name": "launchplane hygiene lint", "rules": [_rule(code) for code in rules]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not result.unread and not result.truncated,
                "toolExecutionNotifications": [_notification(unread) for unread in result.unread],
            }
        ],
        "results": [
            *(_result(finding, rules) for finding in result.findings),
            *(_result(allowed.finding, rules) | _suppressed(allowed) for allowed in result.allowed),
        ],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: Any) -> dict[str, Any]:
    words = WORDS[code]
    return {
        "id": code,
        "shortDescription": {"text": words.title},
        "fullDescription": {"text": words.why},
        "help": {"text": words.instead},
        "defaultConfiguration": {"level": "error"},
    }


def _result(finding: LintFinding, rules: list[Any]) -> dict[str, Any]:
    return {
        "ruleId": finding.code,
        "ruleIndex": rules.index(finding.code),
        "level": "error",
        "message": {"text": f"{finding.command}\n{finding.why} {finding.instead}"},
        "locations": [_location(finding.path, finding.line)],
    }


def _suppressed(allowed: Allowed) -> dict[str, Any]:
    kind = "inSource" if allowed.by == "comment" else "external"
    return {"suppressions": [{"kind": kind, "justification": allowed.reason}]}


def _notification(unread: Unread) -> dict[str, Any]:
    location = {"physicalLocation": {"artifactLocation": {"uri": quote(unread.path)}}}
    return {"level": "error", "message": {"text": f"Not looked at: {unread.reason}."}, "locations": [location]}


def _location(path: str, line: int) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": quote(path)}, "region": {"startLine": line}}}
