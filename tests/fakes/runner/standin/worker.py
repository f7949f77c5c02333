"""Runner.Worker: one job. What it is comes on standard input, its log goes to standard output."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from . import store
from .trace import Trace

SUCCEEDED, FAILED, CANCELED = 100, 102, 103
LONGEST_LOG = 16 * 1024
SECONDS_TO_GO = 5


class _Cancelled(Exception):
    pass


def main() -> int:
    """100 and the result: 0 succeeded, 2 failed, 3 cancelled."""
    signal.signal(signal.SIGINT, _cancel)
    trace = Trace("Worker")
    told: dict[str, Any] = json.load(sys.stdin)
    trace.write("Worker", f"Job message: job {told['job']}")
    log = store.ROOT / "_diag" / f"job-{told['job']}.log"
    status = _job(told, log)
    trace.write("Worker", f"Job completed. Return code {status}")
    sys.stdout.write(log.read_bytes()[-LONGEST_LOG:].decode("utf-8", "replace"))
    return status


def _job(told: dict[str, Any], log: Path) -> int:
    """The steps by bash, as one script in the job's folder."""
    work = store.ROOT / str(store.settings().get("workFolder", "_work"))
    place, temporary = work / Path(told["scope"]).name / Path(told["scope"]).name, work / "_temp"
    for folder in (place, temporary):
        folder.mkdir(parents=True, exist_ok=True)
    script = temporary / f"job-{told['job']}.sh"
    script.write_text(told["run"], encoding="utf-8")
    own = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": told["scope"],
        "GITHUB_WORKSPACE": str(place),
        "GITHUB_RUN_ID": str(told["job"]),
        "RUNNER_NAME": told["name"],
        "RUNNER_OS": "Linux",
        "RUNNER_TEMP": str(temporary),
    }
    with log.open("wb") as stream:
        steps = subprocess.Popen(
            ["bash", "-e", str(script)], cwd=place, env={**os.environ, **own}, stdout=stream, stderr=stream
        )
        try:
            return SUCCEEDED if steps.wait() == 0 else FAILED
        except _Cancelled:
            _end(steps)
            return CANCELED
        finally:
            script.unlink()


def _end(steps: "subprocess.Popen[bytes]") -> None:
    """First by a word, then without one. What steps left in the background is not found, as with the original."""
    steps.send_signal(signal.SIGINT)
    try:
        steps.wait(SECONDS_TO_GO)
    except subprocess.TimeoutExpired:
        steps.kill()
        steps.wait()


def _cancel(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise _Cancelled
