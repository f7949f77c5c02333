"""The one command runner: every end of a command is a result."""

import os
import signal
import sys
import time
import tracemalloc
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchplane.hosts.command import INHERITED, as_text, run

PYTHON = sys.executable


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_it_returns_status_output_and_duration() -> None:
    result = run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_seconds=5)

    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert 0 <= result.duration_ms < 5000
    assert not result.timed_out


@pytest.mark.req("H12")
def test_a_timeout_is_a_result_with_the_output_so_far() -> None:
    result = run(["sh", "-c", "echo so far; echo oh >&2; sleep 30"], timeout_seconds=0.3)

    assert (result.returncode, result.stdout, result.stderr) == (124, "so far\n", "oh\n")
    assert 300 <= result.duration_ms < 2000


@pytest.mark.req("H12")
def test_a_timeout_kills_everything_the_command_started() -> None:
    result = run(["sh", "-c", "sleep 30 & echo $!; wait"], timeout_seconds=0.3)

    deadline = time.monotonic() + 2
    while is_alive(int(result.stdout)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(int(result.stdout))


@pytest.mark.req("H11")
def test_a_command_that_writes_for_ever_is_stopped_and_its_output_is_bounded() -> None:
    result = run(["yes"], timeout_seconds=0.3, max_output_bytes=1000)

    assert result.timed_out
    assert result.truncated
    assert len(result.stdout) == 1000


@pytest.mark.req("H11")
def test_a_command_that_may_not_write_more_is_ended_at_once() -> None:
    result = run(["yes"], timeout_seconds=60, max_output_bytes=1000, stop_when_full=True)

    assert (result.truncated, result.timed_out, result.returncode) == (True, False, -signal.SIGKILL)
    assert len(result.stdout) == 1000


def test_a_child_that_keeps_the_output_open_does_not_keep_the_caller() -> None:
    result = run(["sh", "-c", "sleep 3 & echo $!"], timeout_seconds=10)
    os.kill(int(result.stdout), signal.SIGKILL)

    assert result.returncode == 0
    assert result.duration_ms < 2000


def test_a_program_that_ends_with_124_by_itself_did_not_time_out() -> None:
    result = run(["sh", "-c", "exit 124"], timeout_seconds=5)

    assert (result.returncode, result.timed_out) == (124, False)


def test_what_interrupts_the_caller_ends_the_command(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            # it has its input only once it is being waited for
            code = f"echo $$ > {tmp_path}/pid; read go; kill -USR1 {os.getpid()}; sleep 30"
            run(["sh", "-c", code], timeout_seconds=20, stdin="now\n")
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_program_that_is_not_there_is_127_and_one_that_cannot_run_is_126(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("not a program")

    assert run(["no-such-program-here"], timeout_seconds=1).returncode == 127
    assert run([str(tmp_path / "plain")], timeout_seconds=1).returncode == 126
    assert str(tmp_path / "plain") in run([str(tmp_path / "plain")], timeout_seconds=1).stderr


def test_a_command_killed_by_a_signal_says_which() -> None:
    assert run(["sh", "-c", "kill -9 $$"], timeout_seconds=5).returncode == -signal.SIGKILL


def test_large_input_and_output_pass_at_once() -> None:
    text = "line\n" * 100_000

    result = run(["cat"], timeout_seconds=10, stdin=text)

    assert result.stdout == text
    assert not result.truncated


def test_a_command_that_does_not_read_its_input_still_ends() -> None:
    assert run(["true"], timeout_seconds=5, stdin=b"x" * 1_000_000).returncode == 0


def test_pieces_of_input_follow_one_another_and_a_file_is_not_held_in_memory(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(64 << 20)
    with large.open("rb") as file:
        mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
    tracemalloc.start()
    result = run(["sh", "-c", "read line; echo $line; wc -c"], timeout_seconds=60, stdin=(b"first\n", b"", mapped))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.stdout.split() == ["first", str(64 << 20)]
    assert most < 8 << 20


def test_no_shell_sees_the_arguments() -> None:
    assert run(["echo", "$(id); `id` > x"], timeout_seconds=5).stdout == "$(id); `id` > x\n"


def test_environment_and_folder_are_the_given_ones(tmp_path: Path) -> None:
    result = run(["/bin/sh", "-c", "echo $WORD; pwd"], timeout_seconds=5, env={"WORD": "here"}, cwd=tmp_path)

    assert result.stdout == f"here\n{tmp_path}\n"


def test_nothing_is_inherited_but_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPLANE_SECRET_KEY", "a secret of ours")
    monkeypatch.setenv("HOME", "/somewhere")

    names = {line.partition("=")[0] for line in run(["env"], timeout_seconds=5).stdout.splitlines()}

    assert {"PATH", "HOME"} <= names <= set(INHERITED)


def test_an_empty_environment_is_empty() -> None:
    assert run(["/usr/bin/env"], timeout_seconds=5, env={}).stdout == ""


def test_an_argument_that_no_program_can_be_given_is_refused_before_anything_starts() -> None:
    with pytest.raises(ValueError, match="null byte"):
        run(["echo", "a\0b"], timeout_seconds=5)


@pytest.mark.req("H13")
@pytest.mark.parametrize(
    ("output", "text"), [(None, ""), (b"", ""), ("text", "text"), (b"caf\xc3", "caf�"), (b"\xff", "�")]
)
def test_missing_partial_and_broken_output_decodes(output: bytes | str | None, text: str) -> None:
    assert as_text(output) == text


@pytest.mark.req("H13")
@given(st.binary())
def test_whatever_bytes_a_command_leaves_become_text_that_can_be_stored(output: bytes) -> None:
    assert as_text(output).encode().decode() == as_text(output)


def test_output_cut_in_the_middle_of_a_character_decodes() -> None:
    assert run(["printf", "é" * 10], timeout_seconds=5, max_output_bytes=5).stdout == "éé�"
