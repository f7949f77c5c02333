"""An administrator's own ssh, as they use it: their configuration, agent and known hosts, never our key.

What is run is shown first. Root's part goes to the Python there as text, so nothing is left behind by it.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from launchplane.hosts.command import CommandResult, run
from launchplane.hosts.errors import AnswerUnusable, HostProblem, HostUnavailable
from launchplane.hosts.install import there
from launchplane.hosts.install.pieces import CONFIG, Piece
from launchplane.words import clean_message

TARGET: Final = re.compile(r"(ssh://)?[A-Za-z0-9_][A-Za-z0-9@._:\[\]-]{0,250}")
ENVIRONMENT: Final = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY")
AS_ROOT: Final = "sudo -n -- /usr/bin/python3 -I -"
SECONDS: Final = 300.0
LARGEST: Final = 1024 * 1024
STATES: Final = ("there", "missing", "differs", "made", "changed")


@dataclass(frozen=True, slots=True)
class Found:
    """How an item was found or left: there, missing, differs, made or changed."""

    what: str
    state: str


def argv(target: str, command: str = AS_ROOT) -> list[str]:
    """What is run here. Raises HostProblem for a target that ssh could read as an option."""
    if not TARGET.fullmatch(target):
        raise HostProblem("ssh_target_invalid", f"{target[:80]!r} is no target for ssh: write user@host")
    return ["ssh", "--", target, command]


def read_config(target: str) -> str:
    """host.json as it is there now, empty if it is not. Raises HostUnavailable.

    Asked as root, who writes it later: to whoever may not enter its folder it would look as if there were none.
    """
    result = _run(target, f"sudo -n -- /bin/sh -c 'test ! -f {CONFIG} || cat {CONFIG}'", b"")
    return result.stdout


def bring_about(target: str, pieces: Sequence[Piece], *, apply: bool) -> list[Found]:
    """What each item is there, after it was made so if `apply`. Items behind one that was refused are left out.

    Raises HostUnavailable if nothing was begun, InstallRefused, AnswerUnusable.
    """
    told = {"apply": apply, "items": [piece.item for piece in pieces]}
    program = f"{Path(there.__file__).read_text()}\n\nmain(json.loads({json.dumps(told)!r}))\n"
    result = _run(target, AS_ROOT, program.encode())
    answer = _answer(result)
    found = [Found(str(item["what"]), str(item["state"])) for item in answer["items"]]
    if answer["refused"]:
        raise InstallRefused(found, clean_message(answer["refused"]))
    if [each.what for each in found] != [piece.what for piece in pieces]:
        raise AnswerUnusable("answer_unusable", f"{target} does not tell of every item: nothing is concluded from it.")
    return found


class InstallRefused(HostProblem):
    """The host has something in the way. `found` is what was reached until then."""

    def __init__(self, found: list[Found], why: str) -> None:
        super().__init__("install_refused", f"The installation stopped: {why}. What stands before that was done.")
        self.found = found


def _answer(result: CommandResult) -> Mapping[str, Any]:
    try:
        told = json.loads(result.stdout)
        items = told["items"]
        good = isinstance(told["refused"], str) and all(item["state"] in STATES for item in items)
    except (ValueError, RecursionError, KeyError, TypeError):
        good = False
    if not good:
        said = clean_message(result.stderr) or f"it ended with {result.returncode}"
        raise AnswerUnusable("answer_unusable", f"The installer gave no answer that can be believed: {said}.")
    return dict(told)


def _run(target: str, command: str, stdin: bytes) -> CommandResult:
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    words = argv(target, command)
    result = run(words, timeout_seconds=SECONDS, stdin=stdin, env=environment, max_output_bytes=LARGEST)
    if result.timed_out:
        raise AnswerUnusable("program_lost", f"{target} took more than {SECONDS:g} s. What it did is not known.")
    if result.returncode in (126, 127) or (result.returncode != 0 and not result.stdout):
        said = clean_message(result.stderr) or f"it ended with {result.returncode}"
        raise HostUnavailable(
            "admin_ssh_failed",
            f"{' '.join(words[:3])} could not be used: {said}. It has to work without a question: connect once by "
            "yourself, and let that user run sudo without a password, or come in as root.",
        )
    return result
