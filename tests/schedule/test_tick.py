"""The tick: each due row is moved on once, and whatever goes wrong with one stops no other."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.models import Schedule as QueueSchedule
from django_q.timeout import TimeoutException

from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.schedule import jobs
from launchplane.schedule.heartbeat import BEAT, QUEUES, ask_for_beats, beat, silent_queues
from launchplane.schedule.jobs import Job
from launchplane.schedule.models import Heartbeat, Schedule
from launchplane.schedule.tick import _queue, adopt, ensure_tick, run_job, tick
from tests.factories import a_host

pytestmark = pytest.mark.django_db
RUN_JOB = "launchplane.schedule.tick.run_job"


def says(host: Host) -> str:
    return f"{host.name} is fine."


def refuses(host: Host) -> str:
    raise Problem("engine_gone", f"Nobody answers on {host.name}.")


def quotes(host: Host) -> str:
    raise Problem("engine_answers", "It said \0 and https://ann:hunter2secret@hooks.example/x.")


def breaks(host: Host) -> str:
    raise ZeroDivisionError("a secret that belongs in no sentence")


def takes_too_long(host: Host) -> str:
    raise TimeoutException("the queue's own time limit")


OURS = {"says": says, "refuses": refuses, "quotes": quotes, "breaks": breaks, "slow": takes_too_long}


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """Jobs of our own beside those of the domains."""
    before = {job.name: job for job in jobs.all_jobs()}
    for name, run in (
        ("says", says),
        ("refuses", refuses),
        ("quotes", quotes),
        ("breaks", breaks),
        ("slow", takes_too_long),
    ):
        jobs.register(Job(name=name, title=name, default_cron="*/5 * * * *", starts_enabled=name == "says", run=run))
    yield
    jobs._jobs.clear()
    jobs._jobs.update(before)


@pytest.fixture
def host() -> Host:
    return a_host()


def a_schedule(host: Host, job: str = "says", *, cron: str = "*/5 * * * *", due: datetime | None = None) -> Schedule:
    """A schedule of `host` that is due since a minute, or at `due`."""
    made = Schedule.objects.create(host=host, job=job, cron="*/5 * * * *")
    due = due or timezone.now() - timedelta(minutes=1)
    Schedule.objects.filter(pk=made.pk).update(cron=cron, next_due_at=due)
    made.refresh_from_db()
    return made


def queued() -> list[tuple[int, ...]]:
    """The arguments of each job that waits on the observe queue."""
    tasks = [row.task for row in OrmQ.objects.filter(key="observe").order_by("pk")]
    return [task["args"] for task in tasks if task["func"] == RUN_JOB]


@pytest.mark.req("H59")
def test_what_is_due_is_queued_and_moved_on(host: Host) -> None:
    schedule = a_schedule(host)
    assert tick() == 1
    schedule.refresh_from_db()
    assert schedule.next_due_at is not None
    assert schedule.next_due_at > timezone.now()
    assert queued() == [(schedule.pk,)]


@pytest.mark.req("D26")
def test_a_second_tick_queues_nothing_again(host: Host) -> None:
    a_schedule(host)
    assert [tick(), tick()] == [1, 0]
    assert len(queued()) == 1


@pytest.mark.req("D26")
def test_of_two_ticks_that_saw_the_same_row_one_moves_it_on(host: Host) -> None:
    schedule = a_schedule(host)
    seen_by_both = [Schedule.objects.get(pk=schedule.pk) for _ in range(2)]
    assert [_queue(row, timezone.now()) for row in seen_by_both] == [True, False]
    assert len(queued()) == 1


def test_after_a_long_silence_a_job_runs_once_and_not_for_each_missed_time(host: Host) -> None:
    a_schedule(host, due=timezone.now() - timedelta(days=3))
    assert [tick(), tick()] == [1, 0]


def test_what_is_not_due_yet_waits(host: Host) -> None:
    a_schedule(host, due=timezone.now() + timedelta(minutes=1))
    assert tick() == 0


def test_what_is_disabled_is_never_due(host: Host) -> None:
    schedule = a_schedule(host)
    schedule.enabled = False
    schedule.save()
    assert schedule.next_due_at is None
    assert tick() == 0


def test_a_row_that_was_disabled_after_the_tick_saw_it_is_not_queued(host: Host) -> None:
    schedule = a_schedule(host)
    Schedule.objects.filter(pk=schedule.pk).update(enabled=False)
    assert not _queue(schedule, timezone.now())
    assert queued() == []


def test_one_bad_row_does_not_stop_the_others_and_says_why(host: Host) -> None:
    bad = a_schedule(host, "refuses", cron="never", due=timezone.now() - timedelta(hours=1))
    good = a_schedule(host)
    assert tick() == 1
    assert queued() == [(good.pk,)]
    bad.refresh_from_db()
    assert (bad.last_ok, bad.next_due_at) == (False, None)
    assert bad.last_sentence.startswith("Not run, and not due any more: 'never' has not five fields")


def test_a_bad_row_that_somebody_mends_meanwhile_stays_mended(host: Host) -> None:
    seen = a_schedule(host, cron="never")
    mended = Schedule.objects.get(pk=seen.pk)
    mended.cron = "*/5 * * * *"
    mended.save()
    assert not _queue(seen, timezone.now())
    mended.refresh_from_db()
    assert mended.next_due_at is not None


def test_a_job_leaves_its_sentence(host: Host) -> None:
    schedule = a_schedule(host)
    run_job(schedule.pk)
    schedule.refresh_from_db()
    assert (schedule.last_ok, schedule.last_sentence) == (True, "chris-testing is fine.")
    assert schedule.last_at is not None


def test_a_job_that_is_refused_leaves_the_problems_sentence(host: Host) -> None:
    schedule = a_schedule(host, "refuses")
    run_job(schedule.pk)
    schedule.refresh_from_db()
    assert (schedule.last_ok, schedule.last_sentence) == (False, "Nobody answers on chris-testing.")


def test_what_a_job_quotes_is_kept_without_secrets_and_can_be_written_down(host: Host) -> None:
    schedule = a_schedule(host, "quotes")
    run_job(schedule.pk)
    schedule.refresh_from_db()
    assert "It said \N{REPLACEMENT CHARACTER} and" in schedule.last_sentence
    assert "hunter2secret" not in schedule.last_sentence


def test_a_job_that_breaks_leaves_a_sentence_without_what_broke_it(host: Host) -> None:
    schedule = a_schedule(host, "breaks")
    run_job(schedule.pk)
    schedule.refresh_from_db()
    assert schedule.last_sentence == "Failed unexpectedly: ZeroDivisionError. The log has the details."


def test_a_job_that_the_queue_stops_leaves_a_sentence_and_stays_stopped(host: Host) -> None:
    schedule = a_schedule(host, "slow")
    with pytest.raises(TimeoutException):
        run_job(schedule.pk)
    schedule.refresh_from_db()
    assert schedule.last_ok is False
    assert schedule.last_sentence == "Stopped before its end by TimeoutException: too slow, or shut down."


def test_a_job_that_no_domain_has_says_so(host: Host) -> None:
    schedule = a_schedule(host, "nobody")
    run_job(schedule.pk)
    schedule.refresh_from_db()
    assert (schedule.last_ok, schedule.last_sentence) == (
        False,
        "No job is called 'nobody': this schedule does nothing.",
    )


def test_the_job_of_a_schedule_that_is_gone_does_nothing(host: Host) -> None:
    run_job(a_schedule(host).pk + 1)


def test_the_outcome_of_a_job_does_not_move_its_schedule(host: Host) -> None:
    schedule = a_schedule(host)
    run_job(schedule.pk)
    assert Schedule.objects.get(pk=schedule.pk).next_due_at == schedule.next_due_at


@pytest.mark.req("H58")
def test_a_host_has_one_schedule_of_each_job_whoever_adopts_it(host: Host) -> None:
    adopt(host)
    adopt(host)
    assert host.schedules.filter(job="says").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Schedule.objects.create(host=host, job="says", cron="0 * * * *")


@pytest.mark.req("H58")
def test_adopting_a_host_again_leaves_what_an_operator_set(host: Host) -> None:
    adopt(host)
    host.schedules.filter(job="says").update(cron="0 4 * * *", enabled=False)
    adopt(host)
    assert host.schedules.get(job="says").cron == "0 4 * * *"
    assert not host.schedules.get(job="says").enabled


@pytest.mark.req("H58")
def test_one_engine_cannot_be_two_hosts(host: Host) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Host.objects.create(name="again", engine_id=host.engine_id)


@pytest.mark.req("H65")
def test_each_host_has_schedules_of_its_own(host: Host) -> None:
    other = a_host("other")
    adopt(host)
    adopt(other)
    assert other.schedules.count() == host.schedules.count() == len(jobs.all_jobs())


def test_a_job_starts_enabled_only_if_it_says_so(host: Host) -> None:
    adopt(host)
    assert host.schedules.get(job="says").enabled
    assert not host.schedules.get(job="breaks").enabled


def test_there_is_one_tick_every_minute_on_the_observe_queue() -> None:
    ensure_tick()
    ensure_tick()
    row = QueueSchedule.objects.get()
    assert (row.name, row.func, row.minutes, row.cluster) == ("tick", "launchplane.schedule.tick.tick", 1, "observe")


def test_the_tick_asks_every_queue_for_a_heartbeat() -> None:
    tick()
    asked = {row.key for row in OrmQ.objects.all() if "heartbeat" in row.task["func"]}
    assert asked == set(QUEUES)


def beats_waiting() -> list[str]:
    """The queue of each heartbeat that is queued."""
    return sorted(row.key for row in OrmQ.objects.all() if row.task.get("func") == BEAT)


def test_heartbeats_do_not_pile_up_on_a_queue_that_nobody_works() -> None:
    ask_for_beats()
    OrmQ.objects.filter(key="observe").delete()
    ask_for_beats()
    ask_for_beats()
    assert beats_waiting() == sorted(QUEUES)


def test_a_heartbeat_that_was_taken_and_not_left_is_asked_for_again() -> None:
    ask_for_beats()
    OrmQ.objects.filter(key="apply").update(lock=timezone.now() + timedelta(minutes=25))
    ask_for_beats()
    assert beats_waiting() == ["apply", "apply", "observe"]


def test_other_work_that_waits_is_no_heartbeat() -> None:
    OrmQ.objects.create(key="observe", payload="not signed by us", lock=timezone.now())
    ask_for_beats()
    assert beats_waiting() == sorted(QUEUES)


def test_a_queue_that_was_never_heard_of_or_not_for_three_minutes_is_silent() -> None:
    now = timezone.now()
    assert silent_queues(now) == list(QUEUES)
    for queue in QUEUES:
        beat(queue)
    assert silent_queues(timezone.now()) == []
    Heartbeat.objects.filter(queue="apply").update(at=now - timedelta(minutes=4))
    assert silent_queues(timezone.now()) == ["apply"]
