"""The supervisor, with real child processes: all end in time, crashes are told and repaired, nothing remains."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from launchplane.server.supervisor import CannotStart, Program, Supervisor

IDLE = "import time\nwhile True: time.sleep(1)"
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)"


def python(name: str, code: str, **environment: str) -> Program:
    return Program(name, [sys.executable, "-c", code], environment)


def writes_its_pid(path: Path, then: str = IDLE) -> str:
    return f"import os, pathlib\npathlib.Path({str(path)!r}).write_text(str(os.getpid()))\n{then}"


def ignores_sigterm(path: Path) -> str:
    return f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{writes_its_pid(path)}"


def finishes_its_item(path: Path, item: Path) -> str:
    handler = f"def finish(*_):\n    time.sleep(2)\n    open({str(item)!r}, 'w').write('done')\n    sys.exit()\n"
    return f"import signal, sys, time\n{handler}signal.signal(signal.SIGTERM, finish)\n{writes_its_pid(path)}"


def has_a_child_in_its_group(path: Path) -> str:
    child = writes_its_pid(path, STUBBORN)
    return f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}])\n{IDLE}"


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def pid_in(path: Path) -> int:
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, f"{path} was not written"
        time.sleep(0.02)
    return int(path.read_text())


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.05)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def signals() -> Iterator[None]:
    """The handlers that pytest has, put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run(supervisor: Supervisor, *, then: Callable[[], None]) -> None:
    """Run in this thread, as it must be; `then` acts beside it, and SIGTERM follows."""

    def act() -> None:
        try:
            then()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    supervisor.stop_on_signals()
    beside = threading.Thread(target=act)
    supervisor.run(ready=lambda: True, on_ready=beside.start)
    beside.join()


@pytest.mark.usefixtures("signals")
def test_sigterm_ends_every_child(tmp_path: Path, said: list[str]) -> None:
    programs = [python(name, writes_its_pid(tmp_path / name)) for name in ("web", "observe", "apply")]
    pids: list[int] = []
    run(Supervisor(programs, say=said.append), then=lambda: pids.extend(pid_in(tmp_path / p.name) for p in programs))
    assert len(pids) == 3
    assert not any(alive(pid) for pid in pids)
    assert said == []


@pytest.mark.usefixtures("signals")
def test_a_child_that_ignores_sigterm_is_killed_near_the_bound(tmp_path: Path, said: list[str]) -> None:
    deaf = replace(python("deaf", ignores_sigterm(pid := tmp_path / "pid")), stop_seconds=1)
    run(Supervisor([deaf], say=said.append), then=lambda: until(pid.exists))
    assert not alive(pid_in(tmp_path / "pid"))
    assert said == ["deaf did not end within 1 s and was killed."]


@pytest.mark.usefixtures("signals")
def test_one_may_finish_what_is_in_hand_after_the_others_ended(tmp_path: Path, said: list[str]) -> None:
    worker = replace(python("apply", finishes_its_item(tmp_path / "pid", tmp_path / "item")), stop_seconds=60)
    deaf = replace(python("deaf", ignores_sigterm(tmp_path / "deaf")), stop_seconds=1)

    def both_run() -> None:
        pid_in(tmp_path / "pid")
        pid_in(tmp_path / "deaf")

    run(Supervisor([worker, deaf], say=said.append), then=both_run)
    assert (tmp_path / "item").read_text() == "done"
    assert said == ["deaf did not end within 1 s and was killed."]


@pytest.mark.usefixtures("signals")
def test_a_second_signal_ends_the_waiting(tmp_path: Path, said: list[str]) -> None:
    busy = replace(python("apply", ignores_sigterm(tmp_path / "pid")), stop_seconds=600)

    def twice() -> None:
        pid_in(tmp_path / "pid")
        os.kill(os.getpid(), signal.SIGTERM)
        until(lambda: any("A second Ctrl-C" in sentence for sentence in said))

    run(Supervisor([busy], say=said.append), then=twice)
    assert not alive(pid_in(tmp_path / "pid"))
    assert said[0].startswith("Waiting for apply to finish what is in hand.")
    assert said[-1].startswith("apply did not end within")


@pytest.mark.usefixtures("signals")
def test_only_the_parent_of_a_group_is_asked_and_what_it_leaves_is_killed(tmp_path: Path, said: list[str]) -> None:
    supervisor = Supervisor([python("cluster", has_a_child_in_its_group(tmp_path / "worker"))], say=said.append)
    workers: list[int] = []
    run(supervisor, then=lambda: workers.append(pid_in(tmp_path / "worker")))
    assert not alive(workers[0])


@pytest.mark.usefixtures("signals")
def test_a_child_that_ends_by_itself_is_told_and_started_again(tmp_path: Path, said: list[str]) -> None:
    pid = tmp_path / "pid"
    supervisor = Supervisor([python("web", writes_its_pid(pid))], say=said.append, proving_seconds=0.2)
    killed: list[int] = []

    def kill_once_proved() -> None:
        killed.append(pid_in(pid))
        time.sleep(0.5)
        os.kill(killed[0], signal.SIGKILL)
        until(lambda: pid_in(pid) != killed[0])

    run(supervisor, then=kill_once_proved)
    assert said == ["web was ended by signal 9; starting it again in 1 s."]
    assert not alive(pid_in(pid))


@pytest.mark.usefixtures("signals")
def test_the_pause_before_a_restart_grows(said: list[str]) -> None:
    supervisor = Supervisor([python("web", "import time; time.sleep(0.4)")], say=said.append, proving_seconds=0.1)
    run(supervisor, then=lambda: until(lambda: len(said) >= 3))
    assert [sentence.rsplit(" in ")[1] for sentence in said[:3]] == ["1 s.", "2 s.", "4 s."]


def test_a_child_that_cannot_even_start_ends_everything(tmp_path: Path, said: list[str]) -> None:
    programs = [python("good", writes_its_pid(tmp_path / "good")), python("web", "raise SystemExit(3)")]
    supervisor = Supervisor(programs, say=said.append)
    with pytest.raises(CannotStart, match="web cannot start: it ended by itself with status 3 in its first seconds"):
        supervisor.run(ready=lambda: False, on_ready=lambda: None)
    assert not alive(pid_in(tmp_path / "good"))


def test_programs_that_never_get_ready_end_everything(said: list[str]) -> None:
    supervisor = Supervisor([python("web", IDLE)], say=said.append, ready_seconds=0.5)
    with pytest.raises(CannotStart, match=r"nothing answered within 0\.5 s"):
        supervisor.run(ready=lambda: False, on_ready=lambda: None)


def test_no_child_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = textwrap.dedent(
        f"""
        import sys
        from launchplane.server.supervisor import Program, Supervisor
        programs = [Program("web", [sys.executable, "-c", {writes_its_pid(pid)!r}])]
        Supervisor(programs, say=print).run(ready=lambda: False, on_ready=lambda: None)
        """
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    child = pid_in(pid)
    supervisor.kill()
    supervisor.wait()
    until(lambda: not alive(child))
