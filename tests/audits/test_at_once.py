"""Processes of their own that append at the same moment, or die in the middle: one chain all the same."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from audits import segments
from audits.export import export
from audits.models import AuditRecord
from audits.verify import verify_database
from tests.audits.making import a_record
from tests.processes import environment

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 60
PROCESSES, THREADS, EACH = 4, 5, 10
SCRIPT = Path(__file__).parents[2] / "docs" / "verify_audit.py"


class Appender:
    """A process that appends."""

    def __init__(self, name: str, *, threads: int, each: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.audits.appender", name, str(threads), str(each)],
            env=os.environ | environment(),
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def wait(self) -> int:
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


Start = Callable[..., Appender]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes that append, each ready to begin; whatever is left of them is killed at the end."""
    started: list[Appender] = []

    def begin(name: str, *, threads: int = 1, each: int = 1) -> Appender:
        started.append(appender := Appender(name, threads=threads, each=each))
        return appender

    yield begin
    for appender in started:
        appender.kill()


def on_disk() -> list[int]:
    return [json.loads(line)["seq"] for line in segments.lines()]


@pytest.mark.req("X15", "H50")
def test_two_hundred_at_once_make_one_chain(start: Start, tmp_path: Path) -> None:
    racing = [start(f"process-{number}", threads=THREADS, each=EACH) for number in range(PROCESSES)]
    for appender in racing:
        appender.wait_ready()
    for appender in racing:
        appender.go()
    assert [appender.wait() for appender in racing] == [0] * PROCESSES

    verdict = verify_database()
    assert (verdict.faults, verdict.notes, verdict.count, verdict.last_seq) == ((), (), 200, 200)
    assert AuditRecord.objects.values("key").distinct().count() == 200
    assert on_disk() == list(range(1, 201))
    (tmp_path / "export").write_bytes(b"".join(export()))
    alone = subprocess.run([sys.executable, "-I", SCRIPT, tmp_path / "export"], capture_output=True, check=False)
    assert (alone.returncode, alone.stdout[:31]) == (0, b"intact: 200 records, 1 to 200, ")


@contextmanager
def segments_locked() -> Iterator[None]:
    """As if somebody else was just writing to the segments."""
    with (segments.folder() / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_until(came: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not came():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.req("X17", "H54")
@pytest.mark.parametrize("status", ["planned", "failed"])
def test_a_process_killed_between_commit_and_segment_leaves_no_gap(start: Start, status: str) -> None:
    a_record()
    killed = start("killed")
    killed.wait_ready()
    with segments_locked():
        killed.go()
        wait_until(lambda: AuditRecord.objects.count() == 2)
        killed.kill()
    assert on_disk() == [1]
    assert verify_database().notes == ("1 records are not on the disk yet, from record 2 on.",)
    a_record(status=status)
    assert on_disk() == [1, 2, 3]
    verdict = verify_database()
    assert (verdict.faults, verdict.notes) == ((), ())


def test_processes_that_are_killed_while_they_append_leave_one_chain(start: Start) -> None:
    """Wherever it hits them: before the commit, after it, in the middle of a line."""
    racing = [start(f"process-{number}", threads=2, each=1000) for number in range(2)]
    for appender in racing:
        appender.wait_ready()
        appender.go()
    for appender in racing:
        enough = AuditRecord.objects.count() + 10
        wait_until(lambda enough=enough: AuditRecord.objects.count() > enough)  # type: ignore[misc]
        appender.kill()
    a_record()
    verdict = verify_database()
    assert (verdict.faults, verdict.notes) == ((), ())
    assert on_disk() == list(range(1, AuditRecord.objects.count() + 1))
