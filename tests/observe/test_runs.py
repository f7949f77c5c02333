"""Runs that wait, run and end in a worker: one at a time, and none waited for whose worker is gone."""

import platform
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from hygiene.lock import observation_lock
from hygiene.models import ObservationRun, Snapshot
from hygiene.services import KEPT_RUNS, request_observation, run_queued
from launchplane.access.models import User
from launchplane.hosts.models import Host
from launchplane.hosts.services import add_host
from tests.factories import a_person
from tests.faults import EngineSocket, plain_engine

pytestmark = pytest.mark.django_db

Status = ObservationRun.Status


@pytest.fixture
def engine() -> Iterator[EngineSocket]:
    with EngineSocket(plain_engine()) as engine:
        yield engine


@pytest.fixture
def host(engine: EngineSocket) -> Host:
    return add_host(name="ci-1", docker_url=engine.url)


@pytest.fixture
def person(db: None) -> User:
    return a_person()


def a_running_run(host: Host, *, machine: str = "", minutes: int = 1) -> ObservationRun:
    started = timezone.now() - timedelta(minutes=minutes)
    return host.runs.create(
        status=Status.RUNNING,
        asked_by="somebody",
        asked_at=started,
        started_at=started,
        machine=machine or platform.node(),
    )


@pytest.mark.req("H59")
def test_asking_queues_one_run_for_a_worker(host: Host, person: User) -> None:
    run = request_observation(host, by=person)

    assert (run.status, run.asked_by) == (Status.QUEUED, "operator")
    assert [queued.task["args"] for queued in OrmQ.objects.all()] == [(run.pk,)]


def test_asking_again_gives_the_run_that_waits(host: Host, person: User) -> None:
    assert request_observation(host, by=person) == request_observation(host, by=person)
    assert OrmQ.objects.count() == 1


@pytest.mark.req("D26")
def test_asking_gives_the_run_that_is_under_way(host: Host, person: User) -> None:
    running = a_running_run(host)

    with observation_lock(host) as held:
        assert held
        assert request_observation(host, by=person) == running


def test_asking_does_not_wait_for_a_run_whose_worker_is_dead(host: Host, person: User) -> None:
    dead = a_running_run(host)

    run = request_observation(host, by=person)

    dead.refresh_from_db()
    assert (dead.status, dead.code) == (Status.LOST, "lost")
    assert (
        dead.sentence == "Its worker died before it was done. Nothing was stored; the next observation starts afresh."
    )
    assert (run.status, run == dead) == (Status.QUEUED, False)


@pytest.mark.parametrize(("minutes", "waited_for"), [(9, True), (11, False)])
def test_a_run_of_another_machine_is_given_up_after_ten_minutes(
    host: Host, person: User, minutes: int, waited_for: bool
) -> None:
    elsewhere = a_running_run(host, machine="elsewhere", minutes=minutes)

    assert (request_observation(host, by=person) == elsewhere) is waited_for


def test_a_worker_stores_what_it_saw_and_ends_the_run(host: Host, person: User) -> None:
    run = request_observation(host, by=person)

    run_queued(run.pk)

    run.refresh_from_db()
    assert (run.status, run.code, run.progress) == (Status.DONE, "", "")
    assert run.snapshot == Snapshot.objects.get()
    assert run.sentence.startswith("Saw 0 resources in ")


def test_a_run_that_is_delivered_twice_observes_once(host: Host, person: User) -> None:
    run = request_observation(host, by=person)

    run_queued(run.pk)
    run_queued(run.pk)

    assert Snapshot.objects.count() == 1


@pytest.mark.req("D26")
@pytest.mark.parametrize("status", [Status.DONE, Status.FAILED, Status.LOST])
def test_a_run_that_somebody_else_ended_meanwhile_is_not_run_again(host: Host, person: User, status: Status) -> None:
    run = request_observation(host, by=person)

    with connection.execute_wrapper(ends_once_it_is_read(run, status)):
        run_queued(run.pk)

    run.refresh_from_db()
    assert (run.status, run.sentence, run.started_at) == (status, "By another.", None)
    assert Snapshot.objects.count() == 0


def ends_once_it_is_read(run: ObservationRun, status: Status) -> Callable[..., Any]:
    """Another worker, that ends the run right after this one has found it queued."""
    others_turn = iter([True])

    def execute(original: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = original(sql, params, many, context)
        if sql.startswith("SELECT") and "hygiene_observationrun" in sql and next(others_turn, False):
            ObservationRun.objects.filter(pk=run.pk).update(status=status, sentence="By another.")
        return result

    return execute


def test_a_run_that_waited_longer_than_others_would_is_run_all_the_same(host: Host, person: User) -> None:
    run = request_observation(host, by=person)
    ObservationRun.objects.update(asked_at=timezone.now() - timedelta(hours=1))

    run_queued(run.pk)

    run.refresh_from_db()
    assert run.status == Status.DONE


def test_of_the_runs_of_a_host_the_last_stay(host: Host, person: User) -> None:
    other = Host.objects.create(name="other")
    for each in (host, other):
        runs = [ObservationRun(host=each, status=Status.DONE, asked_at=days_ago(age)) for age in range(1, 521)]
        ObservationRun.objects.bulk_create(runs)

    run_queued(request_observation(host, by=person).pk)

    assert host.runs.filter(asked_at__lt=days_ago(500)).count() == 0
    assert host.runs.count() == KEPT_RUNS
    assert other.runs.count() == 520


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def test_a_worker_leaves_a_failure_on_the_run(host: Host, person: User) -> None:
    run = request_observation(host, by=person)
    Host.objects.update(docker_url="unix:///nowhere/docker.sock")

    run_queued(run.pk)

    run.refresh_from_db()
    assert (run.status, run.code) == (Status.FAILED, "no_socket")
    assert run.sentence.startswith("There is no socket at /nowhere/docker.sock.")


@pytest.mark.req("D26")
def test_a_queued_run_that_meets_another_says_so(host: Host, person: User) -> None:
    run = request_observation(host, by=person)

    with observation_lock(host):
        run_queued(run.pk)

    run.refresh_from_db()
    assert (run.status, run.code) == (Status.FAILED, "observation_running")


def test_the_run_after_a_lost_one_says_so_and_the_one_after_that_does_not(host: Host, person: User) -> None:
    a_running_run(host)
    sentences = []
    for _ in range(2):
        run = request_observation(host, by=person)
        run_queued(run.pk)
        run.refresh_from_db()
        sentences.append(run.sentence)

    assert [sentence.startswith("The observation before this one was lost") for sentence in sentences] == [True, False]
