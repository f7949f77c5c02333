"""What a program on a host printed, read strictly: a host is the least trusted machine, and what it says may be a lie.

Whatever is not exactly an answer to what was asked is refused whole. Then nobody knows what was done, if anything was.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from audits.redact import LIVE
from launchplane.hosts.command import CommandResult
from launchplane.hosts.errors import AnswerUnusable, HostUnavailable
from launchplane.words import clean_message
from onhost import VERSION
from onhost.engine.reduce import storable

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]

DISPATCH: Final = "launchplane-dispatch"
HOLD: Final = "launchplane-hold"  # what dispatch does itself
BUSY: Final = 3
STATUSES: Final = range(7)  # as onhost/door.py tells them
LARGEST_NUMBER: Final = 2**63 - 1
DEEPEST: Final = 16
MOST_PARTS: Final = 2_000_000
MOST_STEPS: Final = 1_000
CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
WORD: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
ALWAYS: Final = frozenset({"program", "version", "ok", "error"})
ECHOED: Final = ("verb", "lane", "dry_run")
DONE: Final = ALWAYS | {"verb", "dry_run", "changed", "steps", "facts"}
MAY_BE: Final = DONE | {"lane"}


@dataclass(frozen=True, slots=True)
class ProgramAnswer:
    """How a program ended. `code` and `summary` are empty when it did as it was asked, and `status` is 0 then.

    Statuses are those of docs/reference/on-the-host.md. `facts` are as the host told them: still to be judged.
    """

    ok: bool
    changed: bool
    steps: tuple[str, ...]
    facts: Mapping[str, Json]
    code: str
    summary: str
    status: int


def read_answer(
    program: str, request: Mapping[str, Json], result: CommandResult, *, raw: bool = False
) -> ProgramAnswer:
    """The answer of `program` to `request`. With `raw` the texts of `facts` are not searched for live secrets.

    Raises HostUnavailable when the programs there are missing or of another version: nothing was begun. Raises
    AnswerUnusable for whatever is no answer to this request.
    """
    if result.returncode in (126, 127) and not result.stdout:
        said = _said(result.stderr) or "nothing was said"
        raise HostUnavailable("programs_missing", f"{program} cannot be started there: {said}. Install the programs.")
    told = _object(program, result)
    _require_same_version(program, told)
    _require_shape(program, request, told, result.returncode)
    error = told["error"] or {"code": "", "summary": ""}
    return ProgramAnswer(
        ok=told["ok"],
        changed=told.get("changed", False),
        steps=tuple(_said(step) for step in told.get("steps", ())),
        facts=told.get("facts", {}) if raw else _cleaned(program, told.get("facts", {}), DEEPEST),
        code=error["code"],
        summary=_said(error["summary"]),
        status=result.returncode,
    )


def _object(program: str, result: CommandResult) -> dict[str, Any]:
    text = result.stdout
    if not text.strip():
        said = _said(result.stderr) or "nothing"
        raise _unusable(program, f"it ended with {result.returncode} and printed no answer, and on the side: {said}")
    if sum(map(text.count, ",{[")) > MOST_PARTS:
        raise _unusable(program, f"it has more than {MOST_PARTS} parts")
    try:
        told = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_refuse, parse_int=_whole_number
        )
    except (ValueError, RecursionError) as error:
        raise _unusable(program, "it is not one whole JSON document that names everything once") from error
    if not isinstance(told, dict):
        raise _unusable(program, "it is no JSON object")
    return told


def _require_same_version(program: str, told: dict[str, Any]) -> None:
    """Programs of another version refuse our requests themselves, before they do anything."""
    version, error = told.get("version"), told.get("error")
    if version == VERSION:
        return
    if told.get("ok") is False and isinstance(error, dict) and error.get("code") == "version_skew":
        named = version if isinstance(version, str) and WORD.fullmatch(version) else "another"
        raise HostUnavailable(
            "version_skew",
            f"{program} on that host has version {named}, and Launchplane needs {VERSION}. Nothing was done. "
            "Install the programs again: manage.py hosts install.",
        )
    raise _unusable(program, f"it says that it is of another version than {VERSION}, and yet did something")


def _require_shape(program: str, request: Mapping[str, Json], told: dict[str, Any], status: int) -> None:
    ok, error = told.get("ok"), told.get("error")
    wanted = DONE if ok is True and program != HOLD else ALWAYS
    if not wanted <= set(told) <= MAY_BE:
        raise _unusable(program, "its fields are not those of an answer")
    if not (isinstance(ok, bool) and ok == (status == 0) and ok == (error is None) and status in STATUSES):
        raise _unusable(program, f"what it says and its exit status {status} contradict each other")
    _require_error(program, error)
    _require_kinds(program, told)
    _require_echo(program, request, told)


def _require_error(program: str, error: object) -> None:
    if error is None:
        return
    if not (isinstance(error, dict) and set(error) == {"code", "summary"} and isinstance(error["summary"], str)):
        raise _unusable(program, "its error is no code with a summary")
    if not (isinstance(error["code"], str) and CODE.fullmatch(error["code"])):
        raise _unusable(program, "its error's code is none")


def _require_kinds(program: str, told: dict[str, Any]) -> None:
    steps = told.get("steps", [])
    if not (isinstance(steps, list) and len(steps) <= MOST_STEPS and all(isinstance(step, str) for step in steps)):
        raise _unusable(program, "its steps are no sentences")
    if not isinstance(told.get("facts", {}), dict) or not isinstance(told.get("changed", False), bool):
        raise _unusable(program, "its facts are no object, or changed is neither true nor false")


def _require_echo(program: str, request: Mapping[str, Json], told: dict[str, Any]) -> None:
    """That it answers what was asked: by that program, that verb, of that lane, dry or not."""
    by = told["program"]
    if by != program and not (by == DISPATCH and (told["ok"] is False or program == HOLD)):
        raise _unusable(program, "another program says that it answers")
    for name in ECHOED:
        asked = request.get(name, False if name == "dry_run" else None)
        if told.get(name, asked) != asked or (name == "dry_run" and not isinstance(told.get(name, False), bool)):
            raise _unusable(program, f"it answers another {name} than was asked")


def _cleaned(program: str, value: Any, deep: int) -> Any:
    """`value` as it can be stored and shown: no live secret, nothing that no database takes, not without end."""
    if deep < 0:
        raise _unusable(program, f"it is nested deeper than {DEEPEST}")
    if isinstance(value, dict):
        return {_text(name): _cleaned(program, inner, deep - 1) for name, inner in value.items()}
    if isinstance(value, list):
        return tuple(_cleaned(program, inner, deep - 1) for inner in value)
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    return LIVE.text(storable(text))


def _said(sentence: str) -> str:
    """A host's words for a sentence of ours. Cleared while they are whole: cut first, a secret may lose its end."""
    return clean_message(LIVE.text(storable(sentence)))


def _unusable(program: str, why: str) -> AnswerUnusable:
    return AnswerUnusable(
        "answer_unusable",
        f"What {program} answers can't be believed: {why}. What it did, if anything, is not known.",
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)


def _whole_number(text: str) -> int:
    number = int(text)
    if abs(number) > LARGEST_NUMBER:
        raise ValueError("a number of more than 64 bits")
    return number
