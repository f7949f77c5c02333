"""Runs a workflow file as a runner does: step after step, each shell for real, with what GitHub's runner gives it.

A step finds no program but those in PROGRAMS, and of curl and Python is recorded what every process of the machine
could read of them: arguments and environment.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tests.workflows.document import Workflow
from tests.workflows.expressions import Contexts, filled, holds

# nobody waits: `sleep` is over at once
PROGRAMS = {"curl": "curl", "python3": sys.executable, "mkdir": "mkdir", "rm": "rm", "sleep": "true"}
WRAPPER = """#!/bin/sh
/bin/cat /proc/$$/cmdline >>'{seen}/argv'
/bin/cat /proc/$$/environ >>'{seen}/environ'
exec '{program}' "$@"
"""
# what a runner takes from a step's output and acts on, wherever it stands in a line in the older form
COMMAND = re.compile(r"^\s*::([a-z-]+)[^:]*::(.*)$|##\[")
UPLOAD = "actions/upload-artifact@"
REQUEST_TOKEN = "the-runners-own-credential"
SECONDS = 60


@dataclass
class Ran:
    """How a run went. `log` is without the lines that only told the runner what to mask."""

    succeeded: bool = True
    log: str = ""
    summary: str = ""
    masks: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    artifact: dict[str, bytes] = field(default_factory=dict)
    artifact_name: str = ""
    argv: str = ""
    environment: str = ""


@dataclass(frozen=True)
class Runner:
    """A machine that runs jobs. `door` is where GitHub gives identity tokens: "" for a job that may not have one."""

    home: Path
    door: str = ""
    attempt: str = "1"

    def run(
        self, workflow: Workflow, *, variables: dict[str, str], event: str = "workflow_dispatch", **inputs: str
    ) -> Ran:
        """Run its one job. An input that is not given has its default."""
        ran, job = Ran(), workflow.job
        contexts = self._contexts(event, variables, _given(workflow, inputs, event))
        if not holds(job.get("if", ""), contexts, succeeded=True):
            return ran
        self._prepare()
        for step in workflow.steps:
            if holds(step.get("if", ""), contexts, succeeded=ran.succeeded):
                ran.steps.append(step["name"])
                self._step(step, contexts, job.get("env", {}), ran)
        ran.argv, ran.environment = (self._seen(name) for name in ("argv", "environ"))
        return ran

    def _contexts(self, event: str, variables: dict[str, str], inputs: dict[str, str]) -> Contexts:
        github = {
            "event_name": event,
            "repository": "acme/shop",
            "repository_id": "4711",
            "run_id": "90001",
            "run_attempt": self.attempt,
        }
        return {"github": github, "vars": variables, "inputs": inputs, "runner": {"temp": str(self.home / "temp")}}

    def _prepare(self) -> None:
        for name in ("bin", "seen", "temp", "work"):
            shutil.rmtree(self.home / name, ignore_errors=True)
            (self.home / name).mkdir(parents=True)
        for name, program in PROGRAMS.items():
            found = shutil.which(program)
            assert found, f"{program} is missing"
            wrapper = self.home / "bin" / name
            wrapper.write_text(WRAPPER.format(seen=self.home / "seen", program=found))
            wrapper.chmod(0o755)

    def _step(self, step: dict[str, Any], contexts: Contexts, job_env: dict[str, str], ran: Ran) -> None:
        if "uses" in step:
            assert step["uses"].startswith(UPLOAD), step["uses"]
            self._upload({name: filled(str(text), contexts) for name, text in step["with"].items()}, ran)
            return
        env = {name: filled(str(text), contexts) for name, text in (job_env | step.get("env", {})).items()}
        script = self.home / "step.sh"
        script.write_text(step["run"])
        # as a runner starts a step whose shell is bash
        done = subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            env=self._environment(contexts["github"]) | env,
            cwd=self.home / "work",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            text=True,
            check=False,
        )
        ran.succeeded = ran.succeeded and done.returncode == 0
        self._take(done.stdout, ran)
        ran.summary += (self.home / "summary").read_text()

    def _environment(self, github: Any) -> dict[str, str]:
        (self.home / "summary").write_text("")
        given = {f"GITHUB_{name.upper()}": text for name, text in github.items()}
        given |= {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self.home / "summary")}
        given |= {"HOME": str(self.home), "PATH": str(self.home / "bin"), "RUNNER_TEMP": str(self.home / "temp")}
        if self.door:
            given |= {"ACTIONS_ID_TOKEN_REQUEST_URL": self.door, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN}
        return given

    def _take(self, output: str, ran: Ran) -> None:
        """Keep what was printed, but for what the runner is told by it."""
        for line in output.splitlines():
            command = COMMAND.search(line)
            if command is not None and command[1] == "add-mask":
                ran.masks.append(command[2])
                continue
            assert command is None or command[1] in ("error", "warning"), f"a command to the runner: {line}"
            ran.log += f"{line}\n"

    def _upload(self, asked: dict[str, str], ran: Ran) -> None:
        """As actions/upload-artifact does: every file of a folder, or none, which fails if it was told to."""
        folder = Path(asked["path"])
        files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
        if not files:
            assert asked["if-no-files-found"] == "error"
            ran.succeeded = False
        ran.artifact_name = asked["name"]
        assert not fnmatch(ran.artifact_name, '*[":<>|*?/\\\\]*')
        ran.artifact = {str(path.relative_to(folder)): path.read_bytes() for path in files}

    def _seen(self, name: str) -> str:
        path = self.home / "seen" / name
        return path.read_bytes().replace(b"\0", b"\n").decode() if path.exists() else ""


def _given(workflow: Workflow, inputs: dict[str, str], event: str) -> dict[str, str]:
    if event != "workflow_dispatch":
        return {}
    assert set(inputs) <= set(workflow.inputs)
    assert all(name in inputs or not told["required"] or "default" in told for name, told in workflow.inputs.items())
    return {name: inputs.get(name, told.get("default", "")) for name, told in workflow.inputs.items()}
