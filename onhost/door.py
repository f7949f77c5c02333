"""How a program is spoken to: one line of JSON comes in, one JSON object goes out, and nothing else counts.

No argument and no environment variable is listened to. The exit status says how it ended, the answer says it exactly:

    0 done, or nothing to do      3 busy: another program is changing this host      6 the installation is not safe
    1 unexpected                  4 refused by a check, nothing changed
    2 the request is no good      5 tried, and not as it should be afterwards
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

from onhost import VERSION, config, session, trust
from onhost.exact import parse_object
from onhost.refusals import BadRequest, Failed, Refusal, Refused

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LINE_LIMIT = 64 * 1024
COMMON = frozenset({"version", "verb", "host", "dry_run"})
CHANGING = frozenset({"fencing_token", "session"})
UNEXPECTED = 1


@dataclass
class Request:
    """One request that was checked, the rest of standard input, and the answer as far as it has come.

    `more` holds the fields that only this program and this verb have. Steps are sentences; in a dry-run they are what
    would be done.
    """

    verb: str
    host: config.HostConfig
    dry_run: bool
    fencing_token: int | None
    session: str | None
    more: dict[str, object]
    stdin: BinaryIO
    steps: list[str]
    facts: dict[str, object]

    def do(self, sentence: str, act: Callable[[], object]) -> None:
        """Name one step, and take it unless this is a dry-run."""
        self.steps.append(sentence)
        if not self.dry_run:
            act()

    def about(self) -> dict[str, object]:
        """What the answer says that it is about, beside the verb."""
        return {}


R = TypeVar("R", bound=Request)


@dataclass(frozen=True)
class Verb(Generic[R]):
    """What a program can do: with which fields of its own, and whether it changes something.

    One that does needs a fencing token and the session that holds this host, in a dry-run too.
    """

    act: Callable[[R], None]
    fields: frozenset[str] = frozenset()
    changes: bool = True


@dataclass(frozen=True)
class Program(Generic[R]):
    """A program: the `fields` that all of its verbs have, and how a request becomes one of its own (`take`).

    `around` is called with that and what does it: the program's own conditions, such as who it runs as.
    """

    name: str
    fields: frozenset[str]
    verbs: Mapping[str, Verb[R]]
    take: Callable[[Request], R]
    around: Callable[[R, Callable[[R], None]], None]


def serve(program: Program[R]) -> int:
    """Read one request, do it, print the answer. Returns the exit status."""
    forget_environment()
    answer = answer_of(program.name)
    try:
        trust.check(program.name)
        call = program.take(_read(sys.stdin.buffer, program, config.load(), answer))
        answer.update(call.about())
        program.around(call, program.verbs[call.verb].act)
        answer.update(ok=True, changed=bool(call.steps) and not call.dry_run)
    except Exception as error:
        return refuse(answer, error)
    return say(answer, 0, None)


def forget_environment() -> None:
    """Nothing that the caller set counts from here on."""
    os.environ.clear()
    os.environ.update({"PATH": PATH, "LC_ALL": "C.UTF-8"})
    os.umask(0o077)


def answer_of(program: str) -> dict[str, object]:
    """An answer of which nothing is known yet."""
    return {"program": program, "version": VERSION, "ok": False}


def refuse(answer: dict[str, object], error: Exception) -> int:
    """Print the answer with what went wrong. Returns the exit status."""
    if isinstance(error, Refusal):
        return say(answer, _status(error, answer), {"code": error.code, "summary": error.summary})
    if isinstance(error, OSError):
        return say(answer, Failed.status, {"code": "system_call", "summary": str(error.strerror)})
    # the caller has to get an answer, whatever happened; it names the error and none of what it was made of
    return say(answer, UNEXPECTED, {"code": "unexpected", "summary": type(error).__name__})


def say(answer: dict[str, object], status: int, error: dict[str, str] | None) -> int:
    """Print the answer. Returns the exit status."""
    print(json.dumps({**answer, "error": error}), flush=True)
    return status


def require_at_end(call: Request) -> None:
    """That nothing comes after the request. Raises BadRequest `too_much`."""
    if call.stdin.read(1):
        raise BadRequest("too_much", "something follows the request, and this verb takes nothing else")


def parse_request(line: bytes) -> dict[str, object]:
    """The object that a request's line is, for this version of the programs. Raises BadRequest."""
    if len(line) > LINE_LIMIT:
        raise BadRequest("too_much", f"a request has at most {LINE_LIMIT} bytes")
    told = parse_object(line)
    if told.get("version") != VERSION:
        raise BadRequest("version_skew", f"this program has version {VERSION}, the request another one")
    return told


def require_host(told: Mapping[str, object], host: config.HostConfig) -> None:
    """That it is this host that is meant. Raises Refused `wrong_host`."""
    if told.get("host") != host.host:
        raise Refused("wrong_host", "this is another host")


def _read(stdin: BinaryIO, program: Program[R], host: config.HostConfig, answer: dict[str, object]) -> Request:
    told = parse_request(stdin.readline(LINE_LIMIT + 1))
    name = told.get("verb")
    if not (isinstance(name, str) and name in program.verbs):
        raise BadRequest("unknown_verb", f"the verbs are {', '.join(program.verbs)}")
    verb = program.verbs[name]
    _require_fields(told, COMMON | program.fields | verb.fields | (CHANGING if verb.changes else frozenset()))
    token, held = (_token(told), session.checked(told["session"])) if verb.changes else (None, None)
    require_host(told, host)
    more = {field: told[field] for field in program.fields | verb.fields}
    request = Request(name, host, told["dry_run"] is True, token, held, more, stdin, [], {})
    answer.update(verb=name, dry_run=told["dry_run"], steps=request.steps, facts=request.facts)
    return request


def _require_fields(told: dict[str, object], wanted: frozenset[str]) -> None:
    if set(told) != wanted:
        raise BadRequest("fields", f"this verb takes exactly {sorted(wanted)}")
    if not isinstance(told["dry_run"], bool):
        raise BadRequest("fields", "dry_run has to be true or false")


def _token(told: dict[str, object]) -> int:
    token = told["fencing_token"]
    if not isinstance(token, int) or isinstance(token, bool) or not 0 < token < 1 << 63:
        raise BadRequest("fields", "fencing_token has to be a whole number from 1")
    return token


def _status(refusal: Refusal, answer: dict[str, object]) -> int:
    """A check that says no after a step was begun cannot promise that nothing changed."""
    begun = bool(answer.get("steps")) and answer.get("dry_run") is not True
    return Failed.status if begun and refusal.status == Refused.status else refusal.status
