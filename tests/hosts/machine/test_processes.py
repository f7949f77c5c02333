"""Which runner processes are alive, on a /proc of the test's own and on the real one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from onhost.machine.limits import Limits, NotMeasured
from onhost.machine.processes import Runner, read_runner_processes

WORKER = "/srv/runners/a/bin.2.330.0/Runner.Worker"


def process(root: Path, pid: int, *argv: str, program: str | None = None) -> None:
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"\0".join(argument.encode() for argument in argv) + b"\0")
    if program is not None:
        (folder / "exe").symlink_to(program)


def found(root: Path, *, own_pid: int = 4000) -> list[tuple[int, str, str | None]]:
    runners = read_runner_processes(Limits(5), root=str(root), own_pid=own_pid)
    return [(runner.pid, runner.name, runner.folder) for runner in runners]


def test_listener_and_worker_are_told_by_program_or_first_argument(tmp_path: Path) -> None:
    process(tmp_path, 1, "/sbin/init", program="/sbin/init")
    process(tmp_path, 20, "anything", program=WORKER)
    process(tmp_path, 21, "/srv/runners/b/bin/Runner.Listener", "run", "--startuptype", "service")
    process(tmp_path, 22, "Runner.Worker", "spawnclient", program="/usr/bin/dotnet")
    process(tmp_path, 23, WORKER, program=f"{WORKER} (deleted)")

    assert found(tmp_path) == [
        (20, "Runner.Worker", "/srv/runners/a"),
        (21, "Runner.Listener", "/srv/runners/b"),
        (22, "Runner.Worker", None),
        (23, "Runner.Worker", "/srv/runners/a"),
    ]


@pytest.mark.req("H16")
def test_a_process_that_only_mentions_a_runner_is_none(tmp_path: Path) -> None:
    process(tmp_path, 1, "/sbin/init")
    process(tmp_path, 30, "pgrep", "-f", "Runner.Worker")
    process(tmp_path, 31, "sh", "-c", "ps ax | grep Runner.Worker")
    process(tmp_path, 32, "Runner.Worker.backup")

    assert found(tmp_path) == []


@pytest.mark.req("H18")
def test_only_the_reading_process_is_left_out_and_siblings_count(tmp_path: Path) -> None:
    process(tmp_path, 1, "/sbin/init")
    process(tmp_path, 40, WORKER)
    process(tmp_path, 41, WORKER)

    assert [pid for pid, _, _ in found(tmp_path, own_pid=40)] == [41]


@pytest.mark.req("H17")
def test_hidden_processes_are_a_reason_and_not_idle(tmp_path: Path) -> None:
    process(tmp_path, 4000, "python3")

    with pytest.raises(NotMeasured, match="hidepid"):
        found(tmp_path)


@pytest.mark.req("H17")
def test_an_unreadable_proc_is_a_reason_and_not_idle(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="no such file"):
        found(tmp_path)


def test_a_process_that_ends_meanwhile_is_not_there(tmp_path: Path) -> None:
    process(tmp_path, 1, "/sbin/init")
    (tmp_path / "proc" / "50").mkdir()

    assert found(tmp_path) == []


@pytest.mark.alone
def test_a_real_worker_is_seen_with_its_user_and_folder(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "Runner.Worker"
    program.parent.mkdir()
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as worker:
        seen = read_runner_processes(Limits(5))
        worker.kill()

    mine = [runner for runner in seen if runner.pid == worker.pid]
    assert mine == [Runner(worker.pid, "Runner.Worker", Path(f"/proc/{os.getpid()}").owner(), str(tmp_path))]
