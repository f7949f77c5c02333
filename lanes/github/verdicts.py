"""What an answer that is not the one asked for means. Pure but for redaction: GitHub's own words are quoted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import requests
import urllib3

from audits.redact import LIVE
from lanes.github.errors import GithubDenied, GithubLimited, GithubProblem, GithubUnreachable

LIMIT_UNSAID: Final = timedelta(minutes=1)  # what GitHub's documentation asks for where it names no time
LIMIT_LONGEST: Final = timedelta(hours=1)  # its own windows are no longer
LONGEST_QUOTE: Final = 200
DENIALS: Final = {
    401: ("github_unauthorized", "GitHub does not accept our credentials: renew them"),
    403: ("github_forbidden", "Our credentials lack the right for this: give it to them"),
    404: ("github_not_found", "GitHub has no such thing, or hides it from us: correct the name, or give the right"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status that was not expected, of a call about `scope`. Names of `headers` are in lower case."""

    scope: str
    status: int
    headers: Mapping[str, str]
    text: str
    request_id: str


def problem_of(refusal: Refusal, *, now: datetime) -> GithubProblem:
    """The typed problem behind a status."""
    if (until := limited_until(refusal, now=now)) is not None:
        sentence = f"GitHub limits us; it may be asked again from {until:%Y-%m-%d %H:%M:%S} UTC on.{_quote(refusal)}"
        return GithubLimited(sentence, try_again_at=until, request_id=refusal.request_id)
    quote, status = _quote(refusal), refusal.status
    if status >= 500 or status < 400:
        return GithubUnreachable("github_error", f"GitHub answers {status}.{quote}", request_id=refusal.request_id)
    code, what = DENIALS.get(status, ("github_refused", "GitHub refuses this"))
    return GithubDenied(code, f"{what} ({refusal.scope}, {status}).{quote}", request_id=refusal.request_id)


def limited_until(refusal: Refusal, *, now: datetime) -> datetime | None:
    """When to try again after a primary or secondary limit; None for what is none.

    Source: GitHub's "Rate limits for the REST API": 403 or 429 with `retry-after`, or `x-ratelimit-remaining: 0`.
    """
    if refusal.status not in (403, 429):
        return None
    after = refusal.headers.get("retry-after", "")
    if after.isascii() and after.isdigit():
        return now + min(timedelta(seconds=int(after[:12])), LIMIT_LONGEST)
    if refusal.headers.get("x-ratelimit-remaining") == "0":
        return _reset(refusal.headers.get("x-ratelimit-reset", ""), now=now)
    if refusal.status == 429 or "rate limit" in message(refusal.text).lower():
        return now + LIMIT_UNSAID
    return None


def _reset(seconds: str, *, now: datetime) -> datetime:
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 10):
        return now + LIMIT_UNSAID
    return max(now + timedelta(seconds=1), min(datetime.fromtimestamp(int(seconds), UTC), now + LIMIT_LONGEST))


def message(text: str) -> str:
    """GitHub's own words in an answer; "" if there are none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    said = document.get("message") if isinstance(document, dict) else None
    return said if isinstance(said, str) else ""


def unreachable(error: requests.RequestException, *, host: str) -> GithubUnreachable:
    """Why there is no answer."""
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", None) or cause
    if isinstance(error, requests.Timeout) or isinstance(cause, urllib3.exceptions.ReadTimeoutError):
        return GithubUnreachable("github_timed_out", f"{host} did not answer in time.")
    if isinstance(cause, urllib3.exceptions.ProtocolError | urllib3.exceptions.DecodeError):
        return GithubUnreachable("github_answer_cut", f"The answer of {host} broke off, or is no HTTP.")
    return GithubUnreachable("github_unreachable", f"{host} cannot be reached: {_shown(str(cause))}")


def _quote(refusal: Refusal) -> str:
    """Its words as an addition to a sentence."""
    said = _shown(message(refusal.text))
    return f" It says: {said!r}" if said else ""


def _shown(text: str) -> str:
    """Short, printable, without secrets."""
    return "".join(c if c.isprintable() else "?" for c in LIVE.text(text)[:LONGEST_QUOTE])
