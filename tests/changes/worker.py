"""A worker in a process of its own, for tests that kill it: `python -m tests.changes.worker ID WINDOW STEP FOLDER`.

At that window of that step it makes FOLDER/here and waits for FOLDER/go; what happens meanwhile is the test's matter.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import django

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60


class Started:
    """One worker process, as a test sees it."""

    def __init__(self, change_id: str, window: str, step: int, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        argv = [sys.executable, "-m", "tests.changes.worker", change_id, window, str(step), str(folder)]
        self.process = subprocess.Popen(argv, env=environment, cwd=PROJECT)

    def wait_there(self) -> None:
        """Until it is at its window."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (self.folder / "here").exists():
            assert self.process.poll() is None, "the worker ended before it came to its window"
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def go(self) -> int:
        """Let it go on, to its end."""
        (self.folder / "go").touch()
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=PATIENCE_SECONDS)


def main(change_id: str, window: str, step: str, folder: str) -> None:
    django.setup()

    from launchplane.changes import apply, marks
    from tests.changes import toy

    toy.register_toys()
    wait_here = waiter(Path(folder))
    begun: list[int] = []

    def happen(now: str, planned: Any) -> None:
        position = planned.position if planned is not None else len(begun) + 1
        if now == "after_effect":
            begun.append(position)
        if (now, str(position)) == (window, step):
            wait_here()

    def became(self: marks.Marks, planned: Any, outcome: Any) -> None:
        if (window, step) == ("before_outcome", str(planned.position)):
            wait_here()
        keep(self, planned, outcome)

    keep = marks.Marks.became
    setattr(marks.Marks, "became", became)  # noqa: B010 - a method for mypy, the same here
    toy.hook[0] = happen
    apply.apply_queued(change_id)


def waiter(folder: Path) -> Callable[[], None]:
    def wait() -> None:
        (folder / "here").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)

    return wait


if __name__ == "__main__":
    main(*sys.argv[1:])
