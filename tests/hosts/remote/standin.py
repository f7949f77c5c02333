"""A stand-in for launchplane-dispatch: a real process that says what a test wants, and holds as the real one does."""

import json
import os
import signal
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from launchplane.hosts.carriers import Here
from launchplane.hosts.programs import Programs
from onhost import VERSION

HOST = "chris-testing"
FINE: Mapping[str, Any] = {
    "program": "launchplane-unit",
    "version": VERSION,
    "ok": True,
    "verb": "stop",
    "lane": "a-lane",
    "dry_run": False,
    "changed": True,
    "steps": ["systemctl stop"],
    "facts": {"service": {"active_state": "inactive"}},
    "error": None,
}
STOP: Mapping[str, Any] = {"verb": "stop", "lane": "a-lane", "fencing_token": 7}
OBSERVE: Mapping[str, Any] = {"verb": "observe", "lane": "a-lane"}

PROGRAM = """\
    #!{python} -I
    import fcntl, json, os, sys
    folder = {folder!r}
    word = os.environ["SSH_ORIGINAL_COMMAND"]
    line = sys.stdin.buffer.readline()
    if word == "launchplane-hold":
        told = json.loads(line)
        answer = dict(program="launchplane-dispatch", version={version!r}, ok=True, verb="hold", dry_run=False,
                      changed=False, steps=[], facts=dict(), error=None)
        lock = open(folder + "/session", "a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(json.dumps(dict(answer, ok=False, error=dict(code="busy", summary="another session"))), flush=True)
            sys.exit(3)
        lock.truncate(0)
        lock.write(told["session"])
        lock.flush()
        with open(folder + "/holder", "w") as holder:
            holder.write(str(os.getpid()))
        print(json.dumps(answer), flush=True)
        sys.stdin.buffer.read()
        sys.exit(0)
    with open(folder + "/asked", "ab") as asked:
        asked.write(line + sys.stdin.buffer.read() + b"\\n")
    with open(folder + "/answer", "rb") as answer:
        sys.stdout.buffer.write(answer.read())
    sys.stdout.flush()
    with open(folder + "/status") as status:
        sys.exit(int(status.read()))
"""


class StandIn:
    """The process and its folder. It prints `answer` and ends with `status`; `asked` is what it was sent."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.program = folder, folder / "launchplane-dispatch"
        self.program.write_text(dedent(PROGRAM).format(python=sys.executable, folder=str(folder), version=VERSION))
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)
        self.says(FINE)

    def says(self, answer: Mapping[str, Any] | str | bytes, status: int = 0) -> None:
        text = json.dumps(answer) if isinstance(answer, Mapping) else answer
        (self.folder / "answer").write_bytes(text.encode() if isinstance(text, str) else text)
        (self.folder / "status").write_text(str(status))

    @property
    def asked(self) -> list[bytes]:
        """Everything that was sent, each with what followed its line."""
        path = self.folder / "asked"
        return path.read_bytes().split(b"\n") if path.exists() else []

    def cut(self) -> None:
        """End whoever holds the host there, as when the line is cut."""
        os.kill(int((self.folder / "holder").read_text()), signal.SIGKILL)

    @property
    def programs(self) -> Programs:
        return Programs(HOST, Here(self.program))


def refusal(code: str, summary: str = "no") -> dict[str, Any]:
    """How the real programs say no to what they could not even read."""
    error = {"code": code, "summary": summary}
    return {"program": "launchplane-unit", "version": VERSION, "ok": False, "error": error}
