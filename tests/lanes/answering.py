"""Hosts whose program is a real process that tells of each lane what a test wants; and what was asked of them."""

import json
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from launchplane.hosts import programs
from launchplane.hosts.carriers import Here
from launchplane.hosts.models import Host
from onhost import VERSION
from tests.lanes.scenes import LANE, OURS, PLACE, SCOPE, UNIT, USER

PROGRAM = """\
    #!{python} -I
    import json, os, sys
    from pathlib import Path
    line = sys.stdin.buffer.readline()
    told = json.loads(line)
    here = Path({folder!r}, told["host"])
    with open({folder!r} + "/asked", "ab") as asked:
        asked.write(line)
    answer = json.loads((here / told["lane"]).read_text())
    sys.stdout.write(answer["text"])
    sys.stdout.flush()
    sys.exit(answer["status"])
"""


class Answering:
    """`tells` sets what a host says of a lane; a lane that nothing was set for has a host that ends without a word."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.program = folder, folder / "launchplane-dispatch"
        self.program.write_text(dedent(PROGRAM).format(python=sys.executable, folder=str(folder)))
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def tells(self, host: Host, lane: str = LANE, **facts: Any) -> None:
        """The answer of launchplane-runner, with these facts."""
        self.says(host, lane, {"ok": True, "changed": False, "steps": [], "facts": facts, "error": None})

    def refuses(self, host: Host, lane: str = LANE, *, code: str, summary: str = "no") -> None:
        error = {"code": code, "summary": summary}
        self.says(host, lane, {"ok": False, "steps": [], "facts": {}, "error": error}, status=4)

    def says(self, host: Host, lane: str, answer: dict[str, Any], status: int = 0) -> None:
        common = {"program": "launchplane-runner", "version": VERSION, "verb": "observe", "lane": lane}
        self.prints(host, lane, json.dumps({**common, "dry_run": False, **answer}), status)

    def prints(self, host: Host, lane: str, text: str, status: int = 0) -> None:
        """Whatever text, as its answer about that lane."""
        place = self.folder / host.name
        place.mkdir(exist_ok=True)
        (place / lane).write_text(json.dumps({"text": text, "status": status}))

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The requests, in the order in which they came."""
        path = self.folder / "asked"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def answering(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Every host is answered for by this process."""
    there = Answering(folder)
    monkeypatch.setattr(programs, "carrier_of", lambda _: Here(there.program))
    yield there


def told_directory(**different: Any) -> dict[str, Any]:
    """The lane's directory as the program tells it, configured as the runner OURS."""
    return {
        "path": PLACE,
        "exists": True,
        "problem": "",
        "configured": True,
        "agent_id": OURS,
        "agent_name": LANE,
        "github_url": f"https://github.com/{SCOPE}",
        "package_sha256": None,
    } | different


def told_service(**different: Any) -> dict[str, Any]:
    """Its unit, active as it was written."""
    return {
        "unit": UNIT,
        "exists": True,
        "ours": True,
        "enabled": True,
        "active_state": "active",
        "sub_state": "running",
        "user": USER,
        "working_directory": PLACE,
        "exec_start": f"{PLACE}/run.sh",
        "drop_ins": [],
        "reload_needed": False,
        "result": "success",
        "exit_status": 0,
        "restarts": 0,
        "main_pid": 4711,
        "process_users": [USER],
        "workers": 0,
    } | different


TOLD_NO_DIRECTORY: dict[str, Any] = {
    "exists": False,
    "configured": False,
    "agent_id": None,
    "agent_name": None,
    "github_url": None,
}
TOLD_NO_SERVICE: dict[str, Any] = {
    "exists": False,
    "ours": False,
    "enabled": False,
    "active_state": "inactive",
    "sub_state": "dead",
    "user": "",
    "working_directory": "",
    "exec_start": "",
    "main_pid": 0,
    "process_users": [],
}


def told_baseline(**different: Any) -> dict[str, Any]:
    """Everything that a build lane needs."""
    return {
        "user": {"uid": 1002, "groups": [USER, "docker"]},
        "home": {"path": "/srv/runners/homes/cm-website", "problem": ""},
        "docker_config": {"path": "/srv/runners/homes/cm-website/.docker", "problem": ""},
        "readable_logins": [],
        "global_logins": [],
        "disk": {"path": PLACE, "free_bytes": 100 * 10**9, "total_bytes": 500 * 10**9},
        "docker_client": "26.1.5",
        "docker_engine": "26.1.5",
        "buildx": "0.13.1",
    } | different


def told_journal(*signs: str, ended_with: int | None = None) -> dict[str, Any]:
    return {"signs": list(signs), "ended_with": ended_with}


def all_told(**different: Any) -> dict[str, Any]:
    """All facts of a lane that is as it must be."""
    return {
        "machine": "x86_64",
        "directory": told_directory(),
        "service": told_service(),
        "baseline": told_baseline(),
        "journal": told_journal("listening"),
        "control_path": {"problem": ""},
    } | different
