"""launchplane-dispatch: the only command that the control plane's ssh key can run, as an ordinary user.

What is asked for is one word in SSH_ORIGINAL_COMMAND. It gives the whole input on to that program, by sudo, and chooses
the user itself: a lane's is the one in host.json. It has no shell, no argument, and nothing of the caller's gets into a
command line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack

from onhost import FOLDER, config, door, lane_call, relay, session, trust
from onhost.refusals import BadRequest, Refused

PROGRAM = "launchplane-dispatch"
ASKED_IN = "SSH_ORIGINAL_COMMAND"
SUDO = "/usr/bin/sudo"
HOLD = "launchplane-hold"
AS_ROOT = ("launchplane-unit", "launchplane-docker")
AS_A_LANE = "launchplane-runner"
HOLD_FIELDS = frozenset({"version", "verb", "host", "session"})


def main() -> int:
    """Give one request on, or hold this host. The exit status is in door.py, and never 255, which is ssh's own."""
    asked = os.environ.get(ASKED_IN)
    door.forget_environment()
    answer = door.answer_of(PROGRAM)
    with ExitStack() as until_it_ends:
        try:
            trust.check(PROGRAM)
            _require_no_terminal()
            _require_known(asked)
            host = config.load()
            source = relay.Source(0, line_limit=door.LINE_LIMIT)
            told = door.parse_request(source.line)
            door.require_host(told, host)
            if asked == HOLD:
                return _hold(told, answer, source)
            command = _command(asked, told, host)
            if "session" in told:
                until_it_ends.enter_context(session.used(session.checked(told["session"])))
            env = {"PATH": door.PATH, "LC_ALL": "C.UTF-8"}
            return relay.run(command, source, env=env, silent_seconds=session.SILENT_SECONDS)
        except Exception as error:
            return door.refuse(answer, error)


def _require_no_terminal() -> None:
    if any(os.isatty(stream) for stream in (0, 1, 2)):
        raise Refused("terminal", "a terminal is attached: there is nobody here to talk to")


def _require_known(asked: str | None) -> None:
    """Before anything is read: who asks for something else may talk another language, and wait for an answer."""
    if asked not in (*AS_ROOT, AS_A_LANE, HOLD):
        raise BadRequest("unknown_program", f"ask for exactly one of {', '.join((*AS_ROOT, AS_A_LANE, HOLD))}")


def _command(asked: str | None, told: Mapping[str, object], host: config.HostConfig) -> list[str]:
    """What is run: every word of it is written here, or in host.json. Raises BadRequest, Refused."""
    if asked in AS_ROOT:
        user = "root"
    elif asked == AS_A_LANE:
        user = lane_call.named(told.get("lane"), host).user
    else:
        raise BadRequest(
            "unknown_program", f"ask for one of {', '.join((*AS_ROOT, AS_A_LANE, HOLD))}, and nothing else"
        )
    return [SUDO, "-n", "-u", user, f"{FOLDER}/{asked}"]


def _hold(told: dict[str, object], answer: dict[str, object], source: relay.Source) -> int:
    """Hold this host until the input ends, or has been silent for too long. What was said then is the only answer."""
    if set(told) != HOLD_FIELDS or told["verb"] != "hold":
        raise BadRequest("fields", f"to hold this host takes exactly {sorted(HOLD_FIELDS)}, the verb being hold")
    with session.held(session.checked(told["session"])):
        answer.update(verb="hold", ok=True, changed=False)
        status = door.say(answer, 0, None)
        source.wait_for_end(silent_seconds=session.SILENT_SECONDS)
    return status
