"""Keeps a few programs running, and ends all of them within a bound: their parents are asked first, the rest is killed.

Each runs in a session of its own, so Ctrl-C reaches only the supervisor, and a queue's cluster can finish its item.
"""

import math
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from launchplane import kernel

TICK_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
SAID_AFTER_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, under which name for people, and with what beside our own environment.

    `stop_seconds` is how long it may take to end once it was asked to, before it is killed.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = 8.0


class CannotStart(Exception):
    """A program ended before it had once lived through its first seconds; the message says which, and how."""


class Child:
    """One program: its process while it runs, and when to start it again after it ended by itself."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_again_at = 0.0
        self.pause_seconds = FIRST_PAUSE_SECONDS
        self.proved = False

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.program.argv,
            env=os.environ | self.program.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=kernel.end_with_parent,  # noqa: PLW1509 - the supervisor has one thread
        )

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.started_at

    def ended(self) -> int | None:
        """Its exit status if it ended and nobody was told yet; what it left in its session is killed then."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self.kill()
        self.process = None
        return status

    def plan_restart(self) -> float:
        """Seconds until the next start: doubled with each early end, short again after a good while."""
        if self.age_seconds > LONGEST_PAUSE_SECONDS:
            self.pause_seconds = FIRST_PAUSE_SECONDS
        pause = self.pause_seconds
        self.start_again_at = time.monotonic() + pause
        self.pause_seconds = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return pause

    def ask_to_end(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill its whole process group."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class Supervisor:
    """Runs `programs` until a signal says stop. `say` gets one sentence for everything that a person should know."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        say: Callable[[str], None],
        proving_seconds: float = 10.0,
        ready_seconds: float = 60.0,
    ) -> None:
        self._children = [Child(program) for program in programs]
        self._say = say
        self._proving_seconds = proving_seconds
        self._ready_seconds = ready_seconds
        self._stopping = False
        self._impatient = False

    def stop_on_signals(self) -> None:
        """From now on SIGTERM, SIGINT and SIGHUP end `run`, and nothing else; a second one ends the waiting, too."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._impatient = self._stopping
        self._stopping = True

    def run(self, *, ready: Callable[[], bool], on_ready: Callable[[], None]) -> None:
        """Start all, call `on_ready` once when `ready` first holds, and return after all ended. Raises CannotStart."""
        try:
            self._run_until(ready, timeout_seconds=self._ready_seconds)
            if not self._stopping:
                on_ready()
            self._run_until(lambda: False, timeout_seconds=math.inf)
        finally:
            self._stop()

    def _run_until(self, condition: Callable[[], bool], *, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not self._stopping:
            self._tend()
            if condition():
                return
            if time.monotonic() > deadline:
                raise CannotStart(f"nothing answered within {timeout_seconds:g} s; the output above may say why.")
            time.sleep(TICK_SECONDS)

    def _tend(self) -> None:
        for child in self._children:
            if (status := child.ended()) is not None:
                self._take_note(child, status)
            elif child.process is None and time.monotonic() >= child.start_again_at:
                child.start()
            elif child.age_seconds > self._proving_seconds:
                child.proved = True
        kernel.reap_orphans(known=self._pids())

    def _take_note(self, child: Child, status: int) -> None:
        how = f"was ended by signal {-status}" if status < 0 else f"ended by itself with status {status}"
        if not child.proved:
            raise CannotStart(
                f"{child.program.name} cannot start: it {how} in its first seconds; its output above says why."
            )
        pause = child.plan_restart()
        self._say(f"{child.program.name} {how}; starting it again in {pause:g} s.")

    def _stop(self) -> None:
        """Ask each child's first process, wait for each as long as it may take, then kill the groups that are left."""
        for child in self._children:
            child.ask_to_end()
        asked_at, told = time.monotonic(), False
        while self._pids():
            self._collect()
            waited = time.monotonic() - asked_at
            for child in self._children:
                if child.process is not None and (self._impatient or waited > child.program.stop_seconds):
                    self._say(f"{child.program.name} did not end within {waited:.0f} s and was killed.")
                    child.kill()
                    child.process.wait()
                    child.process = None
            if not told and waited > SAID_AFTER_SECONDS and (left := self._names()):
                self._say(f"Waiting for {left} to finish what is in hand. A second Ctrl-C or SIGTERM kills instead.")
                told = True
            time.sleep(TICK_SECONDS / 2)
        kernel.reap_orphans(known=())

    def _names(self) -> str:
        return " and ".join(child.program.name for child in self._children if child.process is not None)

    def _collect(self) -> None:
        for child in self._children:
            child.ended()
        kernel.reap_orphans(known=self._pids())

    def _pids(self) -> list[int]:
        return [child.process.pid for child in self._children if child.process is not None]
