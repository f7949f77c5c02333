"""Workers in processes of their own, really killed, stopped and asked to end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.changes.recover import LEASE, recover
from launchplane.changes.requests import find_change
from tests.changes import toy
from tests.changes.ways import a_folder_host, approved, granted, outcomes, standing_request, told
from tests.changes.worker import PATIENCE_SECONDS, Started
from tests.factories import a_person
from tests.processes import environment

Start = Callable[[str, int], Started]


@pytest.fixture
def change(transactional_db: None, tmp_path: Path) -> Change:
    """An approved change of a host with three files, in a database that other processes see."""
    host = a_folder_host(tmp_path / "host")
    return approved(host, a_person(), a_person("approver", group="Approvers"))


@pytest.fixture
def start(change: Change, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker for the change and waits until it is at a window; whatever is left of it is killed at the end."""
    workers: list[Started] = []

    def begin(window: str, step: int) -> Started:
        worker = Started(str(change.pk), window, step, tmp_path, os.environ | environment())
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
    ids=["before the intent", "after the intent", "after the mutation", "before the outcome"],
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


@pytest.mark.req("X17")
@pytest.mark.parametrize(
    ("window", "step", "left", "status"),
    [("at_start", 1, ["", "", ""], "failed"), ("at_end", 4, ["done"] * 3, "completed")],
    ids=["between claim and first intent", "between last outcome and final record"],
)
def test_a_worker_killed_before_the_first_or_after_the_last_item_loses_nothing(
    change: Change, start: Start, window: str, step: int, left: list[str], status: str
) -> None:
    start(window, step).kill()
    assert (find_change(change.pk).status, outcomes(change)) == ("applying", left)
    assert recover() == 1
    assert find_change(change.pk).status == status
    assert len(toy.effects(change.host)) == left.count("done")


@pytest.mark.req("X17")
def test_sigterm_in_the_middle_finishes_the_item_in_hand(change: Change, start: Start) -> None:
    worker = start("before_act", 2)
    worker.send(signal.SIGTERM)
    assert worker.go() == 0
    assert (find_change(change.pk).status, outcomes(change)) == ("failed", ["done", "done", "skipped"])


@pytest.mark.req("X17", "H28")
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


@pytest.mark.req("H28")
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


def at_once(*calls: tuple[str, object]) -> list[Any]:
    """What processes of their own say, all started at the same time."""
    argv = [sys.executable, "-m", "tests.changes.elsewhere"]
    racing = [
        subprocess.Popen(
            [*argv, name, str(argument)],
            env=os.environ | environment(),
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, argument in calls
    ]
    said = [worker.communicate(timeout=PATIENCE_SECONDS)[0] for worker in racing]
    assert [worker.returncode for worker in racing] == [0] * len(racing)
    return [json.loads(text) for text in said]


@pytest.mark.req("X17")
def test_four_workers_at_once_use_one_approval_once(change: Change) -> None:
    at_once(*[("apply", change.pk)] * 4)
    assert find_change(change.pk).status == "completed"
    assert sorted(toy.effects(change.host)) == ["rubbish-1", "rubbish-2", "rubbish-3"]
    assert [status for _kind, status in told(change)].count("planned") == 2


@pytest.mark.req("H28")
def test_two_changes_of_one_host_at_once_come_one_after_the_other(change: Change) -> None:
    operator, approver = User.objects.get(username="operator"), User.objects.get(username="approver")
    both = [approved(change.host, operator, approver, items=[f"rubbish-{number}"]) for number in (2, 3)]
    at_once(*[("apply", one.pk) for one in both] * 2)
    for one in both:
        at_once(("apply", one.pk))
        assert find_change(one.pk).status == "completed"
    assert sorted(toy.effects(change.host)) == ["rubbish-2", "rubbish-3"]
    assert sorted(find_change(one.pk).fencing_token or 0 for one in both) == [1, 2]


def test_a_schedule_that_fires_in_four_processes_at_once_makes_one_change(change: Change) -> None:
    operator, approver = User.objects.get(username="operator"), User.objects.get(username="approver")
    granted(standing_request(change.host, operator), approver)
    said = at_once(*[("routine", change.host.pk)] * 4)
    assert sum("queued" in sentence for sentence in said) == 1
    assert Change.objects.filter(standing__isnull=False).count() == 1


@pytest.mark.req("X17")
def test_recovery_in_four_processes_at_once_settles_once(change: Change, start: Start) -> None:
    start("after_effect", 2).kill()
    at_once(*[("recover", change.pk)] * 4)
    assert (find_change(change.pk).status, outcomes(change)) == ("failed", ["done", "done", "skipped"])
    assert [kind for kind, _status in told(change)[-2:]] == ["change.in_doubt", toy.ONCE]
    assert [kind for kind, _status in told(change)].count("change.in_doubt") == 1


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
