"""Planning as work of the queue: what the click leaves, what the worker makes of it, and what is said meanwhile."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as project
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from audits.models import AuditRecord
from launchplane.access.models import User
from launchplane.changes import keys, lock, plan_runs
from launchplane.changes.models import Change, PlanRun
from launchplane.changes.planning import plan_once
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused
from launchplane.schedule.chores import run_chore
from tests.changes import toy
from tests.changes.ways import person
from tests.factories import a_person
from tests.web.planning import planning_with, running
from tests.web.reading import text_of

POLL = {"HX-Request": "true"}
Status = PlanRun.Status


@pytest.fixture
def client(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def test_a_worker_makes_the_change_in_the_name_of_who_asked(client: Client, queued: PlanRun, operator: User) -> None:
    plan_runs.run_queued(queued.pk)
    change = Change.objects.get()
    assert (change.requester, change.status) == (operator, Change.Status.PLANNED)
    assert list(change.responsible.all()) == [operator]
    queued.refresh_from_db()
    assert (queued.status, queued.change, queued.machine) == (Status.DONE, change, lock.machine())
    assert AuditRecord.objects.get(key=str(change.pk)).source == "web"


def test_a_task_that_is_delivered_twice_plans_once(queued: PlanRun) -> None:
    for _ in range(2):
        plan_runs.run_queued(queued.pk)
    assert Change.objects.count() == 1


def test_a_worker_leaves_a_run_that_another_has_in_hand(queued: PlanRun) -> None:
    with plan_runs._alone(queued.pk) as mine:
        assert mine
        plan_runs.run_queued(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    assert not Change.objects.exists()


def test_the_same_asked_for_twice_is_one_run_until_it_has_ended(folder: Host, operator: User) -> None:
    by = person(operator)
    first, second = (plan_runs.queue_plan(toy.ROUTINE, folder, by=by) for _ in range(2))
    assert first == second
    assert OrmQ.objects.count() == 1
    plan_runs.run_queued(first.pk)
    assert plan_runs.queue_plan(toy.ROUTINE, folder, by=by) != first


def test_the_database_holds_one_open_run_of_the_same(queued: PlanRun) -> None:
    with pytest.raises(IntegrityError):
        PlanRun.objects.create(
            host=queued.host,
            kind=queued.kind,
            asked=queued.asked,
            asked_digest=queued.asked_digest,
            identity=queued.identity,
            asked_at=timezone.now(),
        )


def test_a_key_that_was_used_leads_to_what_came_of_it(folder: Host, operator: User) -> None:
    by = person(operator)
    first = plan_runs.queue_plan(toy.ROUTINE, folder, by=by, idempotency_key="k")
    plan_runs.run_queued(first.pk)
    assert plan_runs.queue_plan(toy.ROUTINE, folder, by=by, idempotency_key="k") == first
    with pytest.raises(Refused) as refused:
        plan_runs.queue_plan(toy.ONCE, folder, by=by, idempotency_key="k")
    assert refused.value.code == "key_conflict"


def test_a_key_whose_plan_failed_may_be_used_again(folder: Host, operator: User) -> None:
    def fails(host: Host) -> None:
        raise Problem("engine_unavailable", "The engine does not answer.")

    planning_with(fails)
    by = person(operator)
    first = plan_runs.queue_plan(toy.ROUTINE, folder, by=by, idempotency_key="k")
    plan_runs.run_queued(first.pk)
    assert plan_runs.queue_plan(toy.ROUTINE, folder, by=by, idempotency_key="k") != first


def test_whoever_may_not_plan_leaves_no_run_and_is_on_record(folder: Host) -> None:
    auditor = a_person("auditor", group="Auditors")
    with pytest.raises(Refused, match="You may not plan changes of folder"):
        plan_runs.queue_plan(toy.ROUTINE, folder, by=person(auditor))
    assert not PlanRun.objects.exists()
    denied = AuditRecord.objects.get(kind="change.denied")
    assert (denied.status, denied.actor_name, denied.host) == ("failed", "auditor", "folder")


@pytest.mark.parametrize("loses", ["right", "account"])
def test_the_right_is_read_again_by_the_worker(queued: PlanRun, operator: User, loses: str) -> None:
    if loses == "right":
        operator.groups.clear()
    else:
        User.objects.filter(pk=operator.pk).update(is_active=False)
    plan_runs.run_queued(queued.pk)
    queued.refresh_from_db()
    assert (queued.status, queued.code) == (Status.FAILED, "not_permitted")
    assert not Change.objects.exists()


def test_a_planner_s_mistake_is_in_the_log_and_its_name_on_the_page(
    client: Client, queued: PlanRun, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(host: Host) -> None:
        raise KeyError("a secret of the code")

    planning_with(breaks)
    plan_runs.run_queued(queued.pk)
    page = text_of(client.get(f"/plans/{queued.pk}/"))
    assert "Failed unexpectedly: KeyError. The log has the details." in page
    assert "a secret of the code" not in page
    assert "a secret of the code" in caplog.text


def test_a_worker_that_is_made_to_stop_says_so(queued: PlanRun) -> None:
    def stops(host: Host) -> None:
        raise SystemExit

    planning_with(stops)
    with pytest.raises(SystemExit):
        plan_runs.run_queued(queued.pk)
    queued.refresh_from_db()
    assert queued.sentence == "Stopped before its end by SystemExit: too slow, or shut down."


@pytest.fixture
def begun(queued: PlanRun, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that holds the run, as its worker does."""
    code = "import sys, fcntl; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX); print(); input()"
    path = plan_runs._lock_path(queued.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-c", code, str(path)]
    worker = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    worker.stdout.readline()
    running(queued)
    yield worker
    worker.kill()
    worker.wait()


def test_a_worker_that_was_killed_is_noticed_by_who_looks(
    client: Client, queued: PlanRun, begun: subprocess.Popen[str]
) -> None:
    assert "Being planned" in text_of(client.get(f"/plans/{queued.pk}/"))
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    assert client.get(f"/plans/{queued.pk}/", headers=POLL).headers["HX-Refresh"] == "true"
    page = text_of(client.get(f"/plans/{queued.pk}/"))
    assert "lost: its worker died" in page
    assert "Its worker ended before the plan was made. Nothing was stored and nothing was changed" in page
    assert not plan_runs._lock_path(queued.pk).exists()


def test_a_dead_worker_is_noticed_every_minute_if_nobody_looks(queued: PlanRun) -> None:
    running(queued)
    run_chore("changes.plan_runs")
    queued.refresh_from_db()
    assert queued.status == Status.LOST


def test_a_plan_that_was_stored_before_its_worker_died_is_found(queued: PlanRun, operator: User) -> None:
    change = plan_once(queued.kind, queued.host, by=person(operator), key=keys.of_run(queued.pk), asked={})
    running(queued)
    plan_runs.settle()
    queued.refresh_from_db()
    assert (queued.status, queued.change) == (Status.DONE, change)


def test_a_worker_of_another_machine_is_believed_for_ten_minutes(queued: PlanRun) -> None:
    running(queued, machine="elsewhere")
    plan_runs.settle()
    queued.refresh_from_db()
    assert queued.status == Status.RUNNING
    running(queued, machine="elsewhere", started_at=timezone.now() - timedelta(minutes=11))
    plan_runs.settle()
    queued.refresh_from_db()
    assert queued.status == Status.LOST


def test_a_lost_task_is_said_and_one_that_comes_late_does_nothing(client: Client, queued: PlanRun) -> None:
    PlanRun.objects.filter(pk=queued.pk).update(asked_at=timezone.now() - timedelta(minutes=11))
    page = text_of(client.get(f"/plans/{queued.pk}/"))
    assert "No worker took it within 10 minutes." in page
    plan_runs.run_queued(queued.pk)
    assert not Change.objects.exists()


def test_only_the_last_runs_of_a_host_are_kept(folder: Host, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_runs, "KEPT_RUNS", 2)
    for _ in range(4):
        plan_runs.run_queued(plan_runs.queue_plan(toy.ROUTINE, folder, by=person(operator)).pk)
    assert PlanRun.objects.count() == 2
    assert Change.objects.count() == 4


def test_the_state_directory_keeps_the_locks() -> None:
    assert plan_runs._lock_path(7) == Path(project.VAR) / "locks" / "plan-7"
