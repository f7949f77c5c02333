"""The stand-in runner, unpacked in a folder as a user who is not root, and what is asked of it there."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.github import GithubServer
from tests.lanes.asking import asking, declared

SCOPE, NAME = "acme/shop", "lane-a"
NOBODY = 65534
OPTIONS = ["--unattended", "--name", NAME, "--labels", "self-hosted,mine", "--work", "_work", "--disableupdate"]


@dataclass
class Unpacked:
    """A runner's folder, and what is asked of it there."""

    folder: Path
    server: GithubServer

    def script(self, name: str, *words: str, token: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        with self.started(name, *words, token=token, **env) as process:
            out, _ = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, "")

    def started(self, name: str, *words: str, token: str = "", **env: str) -> "subprocess.Popen[str]":
        own = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder)} | env
        own |= {"ACTIONS_RUNNER_INPUT_TOKEN": token} if token else {}
        return subprocess.Popen(
            [str(self.folder / name), *words],
            cwd=self.folder,
            env=own,
            user=NOBODY if os.geteuid() == 0 else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def configure(self, *more: str) -> subprocess.CompletedProcess[str]:
        return self.script("config.sh", *self.options(), *more, token=self.token("registration"))

    def options(self) -> list[str]:
        return ["--url", f"{self.server.url}/{SCOPE}", *OPTIONS]

    def token(self, kind: str) -> str:
        github = asking(self.server.url)
        with declared(), (github.registration_token if kind == "registration" else github.remove_token)(SCOPE) as held:
            return held.reveal()

    def files(self) -> set[str]:
        """What being configured leaves."""
        return {path.name for path in self.folder.glob(".*")} - {".env", ".path"}
