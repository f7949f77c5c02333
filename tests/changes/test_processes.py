"""Workers in processes of their own, really killed, stopped and asked to end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from launchplane.changes.models import Change
from launchplane.changes.recover import LEASE, recover
from launchplane.changes.requests import find_change
from tests.changes import toy
from tests.changes.ways import a_folder_host, approved, outcomes, told
from tests.factories import a_person
from tests.processes import environment

PATIENCE_SECONDS = 60


class Worker:
    """One worker process that waits at a window of a step."""

    def __init__(self, change: Change, window: str, step: int, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.changes.worker", str(change.pk), window, str(step), str(folder)],
            env=os.environ | environment(),
            cwd=settings.BASE_DIR,
        )

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


Start = Callable[[str, int], Worker]


@pytest.fixture
def change(transactional_db: None, tmp_path: Path) -> Change:
    """An approved change of a host with three files, in a database that other processes see."""
    host = a_folder_host(tmp_path / "host")
    return approved(host, a_person(), a_person("approver", group="Approvers"))


@pytest.fixture
def start(change: Change, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker for the change and waits until it is at a window; whatever is left of it is killed at the end."""
    workers: list[Worker] = []

    def begin(window: str, step: int) -> Worker:
        worker = Worker(change, window, step, tmp_path)
        workers.append(worker)
        worker.wait_there()
        return worker

    yield begin
    for worker in workers:
        worker.kill()


@pytest.mark.req("X17")
@pytest.mark.parametrize(
    ("window", "left", "settled"),
    [
        ("before_intent", ["done", "", ""], ["done", "skipped", "skipped"]),
        ("before_act", ["done", "", ""], ["done", "skipped", "skipped"]),
        ("after_effect", ["done", "", ""], ["done", "done", "skipped"]),
        ("before_outcome", ["done", "", ""], ["done", "done", "skipped"]),
    ],
)
def test_a_killed_worker_s_change_is_settled(
    change: Change, start: Start, window: str, left: list[str], settled: list[str]
) -> None:
    start(window, 2).kill()
    assert (find_change(change.pk).status, outcomes(change)) == ("applying", left)
    before = toy.effects(change.host)
    assert recover() == 1
    assert (find_change(change.pk).status, outcomes(change)) == ("failed", settled)
    assert toy.effects(change.host) == before
    assert [kind for kind, _status in told(change)[-2:]] == ["change.in_doubt", toy.ONCE]


def test_sigterm_in_the_middle_finishes_the_item_in_hand(change: Change, start: Start) -> None:
    worker = start("before_act", 2)
    worker.send(signal.SIGTERM)
    assert worker.go() == 0
    assert (find_change(change.pk).status, outcomes(change)) == ("failed", ["done", "done", "skipped"])


@pytest.mark.parametrize("window", ["before_act", "after_effect"])
def test_a_worker_that_was_stopped_past_its_lease_begins_nothing_more(
    change: Change, start: Start, window: str
) -> None:
    worker = start(window, 2)
    worker.send(signal.SIGSTOP)
    Change.objects.update(beat_at=timezone.now() - LEASE - timedelta(minutes=1))
    assert recover() == 0
    assert find_change(change.pk).status == "in_doubt"
    worker.send(signal.SIGCONT)
    worker.go()
    made = 1 if window == "before_act" else 2
    assert len(toy.effects(change.host)) == made
    assert recover() == 1
    assert find_change(change.pk).status == "failed"
    assert outcomes(change)[2] == "skipped"
    assert len(toy.effects(change.host)) == made


def test_a_second_process_waits_for_the_first(change: Change, start: Start, tmp_path: Path) -> None:
    worker = start("before_act", 1)
    other = subprocess.run(
        [sys.executable, "-m", "tests.changes.worker", str(change.pk), "never", "0", str(tmp_path)],
        env=os.environ | environment(),
        cwd=settings.BASE_DIR,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (other.returncode, toy.effects(change.host)) == (0, [])
    assert worker.go() == 0
    assert find_change(change.pk).status == "completed"
    assert len(toy.effects(change.host)) == 3


def test_four_workers_at_once_apply_it_once(change: Change, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "tests.changes.worker", str(change.pk), "never", "0", str(tmp_path)]
    racing = [subprocess.Popen(argv, env=os.environ | environment(), cwd=settings.BASE_DIR) for _ in range(4)]
    assert [worker.wait(timeout=PATIENCE_SECONDS) for worker in racing] == [0, 0, 0, 0]
    assert find_change(change.pk).status == "completed"
    assert sorted(toy.effects(change.host)) == ["rubbish-1", "rubbish-2", "rubbish-3"]
    assert [status for _kind, status in told(change)].count("planned") == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server that could go away")
def test_a_database_that_goes_away_in_the_middle_leaves_it_to_recovery(change: Change, start: Start) -> None:
    worker = start("after_effect", 2)
    with connection.cursor() as cursor:
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        cursor.execute(f"SELECT pg_terminate_backend(pid) {others}")
    assert worker.go() != 0
    assert (find_change(change.pk).status, outcomes(change)) == ("applying", ["done", "", ""])
    assert recover() == 1
    assert (find_change(change.pk).status, outcomes(change)) == ("failed", ["done", "done", "skipped"])
    assert len(toy.effects(change.host)) == 2
