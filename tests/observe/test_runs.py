"""Runs that wait, run and end in a worker: one at a time, and none waited for whose worker is gone."""

import platform
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from hygiene.lock import observation_lock
from hygiene.models import ObservationRun, Snapshot
from hygiene.services import request_observation, run_queued
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
