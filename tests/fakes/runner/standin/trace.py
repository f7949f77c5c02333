"""What the runner says: to whoever started it, and in more words into a file of its own in `_diag`."""

import sys
import time
from pathlib import Path

from . import store

OKAY = "√"


class Trace:
    """One file of `_diag` for each process: `Runner_…` of a listener, `Worker_…` of a job."""

    def __init__(self, program: str) -> None:
        folder = store.ROOT / "_diag"
        folder.mkdir(exist_ok=True)
        self.path: Path = folder / f"{program}_{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-utc.log"

    def write(self, source: str, message: str, *, level: str = "INFO") -> None:
        """A line as `[2026-11-21 20:15:00Z INFO Listener] message`."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"[{now()} {level:<4} {source}] {message}\n")

    def say(self, message: str) -> None:
        """On standard output, which under systemd is the journal."""
        print(message, flush=True)
        self.write("Terminal", f"WRITE LINE: {message}")

    def fail(self, message: str) -> None:
        """As an error."""
        print(message, file=sys.stderr, flush=True)
        self.write("Terminal", f"WRITE ERROR: {message}", level="ERR")


def now() -> str:
    """The time as the runner prints it."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
