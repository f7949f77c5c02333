"""What a person does at a shell of the control plane: `manage.py` with these words, and its JSON."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.proof.lane.record import NotProven

PROJECT = Path(__file__).parents[3]
AT_AN_END = ("completed", "failed", "closed", "in_doubt")
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Shell:
    """Somebody at the control plane's own machine; `environment` names its state directory."""

    environment: Mapping[str, str]

    def run(self, *words: str, password: str = "", seconds: float = 300) -> "subprocess.CompletedProcess[str]":
        """To its end, whatever that is."""
        own = {"LAUNCHPLANE_PASSWORD": password} if password else {}
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env={**self.environment, **own},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def json(self, *words: str, password: str = "", ends: tuple[int, ...] = (0,)) -> Any:
        """What it printed with `--json`. Raises NotProven unless it ended with one of `ends`."""
        done = self.run(*words, "--json", password=password)
        if done.returncode not in ends:
            told = (done.stderr + done.stdout)[-3000:]
            raise NotProven(f"manage.py {' '.join(words)} ended with {done.returncode}: {told}")
        return json.loads(done.stdout)

    def plain(self, *words: str) -> str:
        """What it printed. Raises NotProven unless it ended with 0."""
        done = self.run(*words)
        if done.returncode != 0:
            raise NotProven(f"manage.py {' '.join(words)} ended with {done.returncode}: {done.stderr[-3000:]}")
        return done.stdout

    def at_its_end(self, change: str) -> dict[str, Any]:
        """The change once a worker has brought it to an end. Raises NotProven when none does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.json("changes", "show", change, ends=(0, 3, 4))
            if found["status"] in AT_AN_END:
                return found
            time.sleep(2)
        raise NotProven(f"the change {change} is still {found['status']} after {PATIENCE_SECONDS} seconds")
