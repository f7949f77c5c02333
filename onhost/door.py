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
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from onhost import VERSION, config, trust
from onhost.config import Lane
from onhost.exact import parse_object
from onhost.refusals import BadRequest, Failed, Refusal, Refused

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LINE_LIMIT = 16 * 1024
COMMON = frozenset({"version", "verb", "host", "lane", "user", "root", "unit", "dry_run"})
UNEXPECTED = 1


@dataclass
class Call:
    """One request that was checked, the rest of standard input, and the answer as far as it has come.

    `more` holds the fields that only this verb has. Steps are sentences; in a dry-run they are what would be done.
    """

    verb: str
    lane: Lane
    github: str
    dry_run: bool
    fencing_token: int | None
    more: dict[str, object]
    stdin: BinaryIO
    steps: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)

    def do(self, sentence: str, act: Callable[[], object]) -> None:
        """Name one step, and take it unless this is a dry-run."""
        self.steps.append(sentence)
        if not self.dry_run:
            act()


@dataclass(frozen=True)
class Verb:
    """What a program can do: with which fields beyond the common ones, and whether it needs a fencing token."""

    act: Callable[[Call], None]
    fields: frozenset[str] = frozenset()
    fenced: bool = True


def serve(program: str, verbs: dict[str, Verb], around: Callable[[Call, Callable[[Call], None]], None]) -> int:
    """Read one request, do it, print the answer. Returns the exit status.

    `around` is called with the checked call and what does it: the program's own conditions, such as who it runs as.
    """
    os.environ.clear()
    os.environ.update({"PATH": PATH, "LC_ALL": "C.UTF-8"})
    os.umask(0o077)
    answer: dict[str, object] = {"program": program, "version": VERSION, "ok": False}
    try:
        trust.check(program)
        host = config.load()
        call = _read(sys.stdin.buffer, verbs, host, answer)
        answer.update(steps=call.steps, facts=call.facts)
        around(call, verbs[call.verb].act)
        answer.update(ok=True, changed=bool(call.steps) and not call.dry_run)
    except Refusal as refusal:
        return _say(answer, _status(refusal, answer), {"code": refusal.code, "summary": refusal.summary})
    except OSError as error:
        return _say(answer, Failed.status, {"code": "system_call", "summary": str(error.strerror)})
    except Exception as error:
        # the caller has to get an answer, whatever happened; it names the error and none of what it was made of
        return _say(answer, UNEXPECTED, {"code": "unexpected", "summary": type(error).__name__})
    return _say(answer, 0, None)


def require_at_end(call: Call) -> None:
    """That nothing comes after the request. Raises BadRequest `too_much`."""
    if call.stdin.read(1):
        raise BadRequest("too_much", "something follows the request, and this verb takes nothing else")


def _read(stdin: BinaryIO, verbs: dict[str, Verb], host: config.HostConfig, answer: dict[str, object]) -> Call:
    line = stdin.readline(LINE_LIMIT + 1)
    if len(line) > LINE_LIMIT:
        raise BadRequest("too_much", f"a request has at most {LINE_LIMIT} bytes")
    told = parse_object(line)
    if told.get("version") != VERSION:
        raise BadRequest("version_skew", f"this program has version {VERSION}, the request another one")
    name = told.get("verb")
    if not (isinstance(name, str) and name in verbs):
        raise BadRequest("unknown_verb", f"the verbs are {', '.join(verbs)}")
    verb = verbs[name]
    _require_fields(told, verb)
    lane = _lane(told, host)
    answer.update(verb=name, lane=lane.name, dry_run=told["dry_run"])
    more = {field: told[field] for field in verb.fields}
    return Call(name, lane, host.github, told["dry_run"] is True, _token(told, verb), more, stdin)


def _require_fields(told: dict[str, object], verb: Verb) -> None:
    wanted = COMMON | verb.fields | ({"fencing_token"} if verb.fenced else set())
    if set(told) != wanted:
        raise BadRequest("fields", f"this verb takes exactly {sorted(wanted)}")
    if not isinstance(told["dry_run"], bool):
        raise BadRequest("fields", "dry_run has to be true or false")


def _token(told: dict[str, object], verb: Verb) -> int | None:
    token = told.get("fencing_token")
    if not verb.fenced:
        return None
    if not isinstance(token, int) or isinstance(token, bool) or not 0 < token < 1 << 63:
        raise BadRequest("fields", "fencing_token has to be a whole number from 1")
    return token


def _lane(told: dict[str, object], host: config.HostConfig) -> Lane:
    """The lane of host.json that is meant; what the request says of it has to be the same, to the letter (M54, M59)."""
    if told["host"] != host.host:
        raise Refused("wrong_host", "this is another host")
    name = told["lane"]
    lane = host.lanes.get(name) if isinstance(name, str) else None
    if lane is None:
        raise Refused("unknown_lane", "this host's administrator has no such lane in host.json")
    for field_name, expected in (("user", lane.user), ("root", lane.root), ("unit", lane.unit)):
        if told[field_name] != expected:
            raise Refused(f"wrong_{field_name}", f"this lane's {field_name} is {expected}")
    return lane


def _status(refusal: Refusal, answer: dict[str, object]) -> int:
    """A check that says no after a step was begun cannot promise that nothing changed."""
    begun = bool(answer.get("steps")) and answer.get("dry_run") is not True
    return Failed.status if begun and refusal.status == Refused.status else refusal.status


def _say(answer: dict[str, object], status: int, error: dict[str, str] | None) -> int:
    print(json.dumps({**answer, "error": error}), flush=True)
    return status
