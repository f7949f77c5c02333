"""Observing a host as a whole: claim, look, judge, store, say how it went."""

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from audits.kept import kept
from hygiene import ledger, snapshots
from hygiene.contracts import Observation, Report
from hygiene.defaults import require_running_builders
from hygiene.judge import Judgement
from hygiene.layers import known_layers, learn_layers
from hygiene.lock import observation_lock
from hygiene.models import ObservationRun, Snapshot
from hygiene.observe import observe
from hygiene.policy import policy_of
from hygiene.reclaim import Layers
from hygiene.report import build_report
from launchplane.access.models import User
from launchplane.hosts.models import Host
from launchplane.hosts.services import record_contact
from launchplane.problems import Problem

Status = ObservationRun.Status
SAID_EVERY_SECONDS = 0.5
GIVEN_UP_AFTER = timedelta(minutes=10)
KEPT_RUNS = 500


class _Taken(Exception):
    """A queued run that somebody else has claimed or ended by now: the queue may deliver one twice."""


def request_observation(host: Host, *, by: User) -> ObservationRun:
    """Queue an observation for a worker; if one already waits or runs, that one is returned."""
    with observation_lock(host) as held:
        if held:  # so nobody waits for a worker that is dead
            _settle_dead(host)
    _give_up_old(host)
    open_run = host.runs.filter(status__in=(Status.QUEUED, Status.RUNNING)).first()
    if open_run is not None:
        return open_run
    with transaction.atomic():
        run = ObservationRun.objects.create(host=host, asked_by=by.get_username(), asked_at=timezone.now())
        # inside: with the queue in the same database the task exists exactly if the run does
        async_task("hygiene.services.run_queued", run.pk, cluster="observe")
    return run


def run_queued(run_id: int) -> None:
    """What a worker does with a queued run. A failure is on the run's row; nothing is raised for it."""
    run = ObservationRun.objects.select_related("host").filter(pk=run_id, status=Status.QUEUED).first()
    if run is None:
        return
    try:
        observe_host(run.host, asked_by=run.asked_by, run=run)
    except _Taken:
        return
    except Problem as problem:
        still_queued = ObservationRun.objects.filter(pk=run.pk, status=Status.QUEUED)
        still_queued.update(**_ending(Status.FAILED, problem.code, problem.sentence))


def observe_host(host: Host, *, asked_by: str, run: ObservationRun | None = None) -> ObservationRun:
    """Observe `host` now, in this process, and store what was seen.

    Raises Problem: `observation_running` if another is at it, `not_stored` if the database refused, or what the door to
    the engine raised. The last snapshot stays whatever happens.
    """
    try:
        with _alone(host):
            return _observe_alone(host, _claim(host, asked_by, run))
    except DatabaseError as error:
        raise _not_stored(error) from error


def _observe_alone(host: Host, run: ObservationRun) -> ObservationRun:
    """Observe, store, and write to the run how it ended, whichever way it does."""
    try:
        snapshot = _observe_and_store(host, run)
    except Problem as problem:
        record_contact(host, problem=problem)
        _end(run, Status.FAILED, problem.code, problem.sentence)
        raise
    except DatabaseError as error:
        _end(run, Status.FAILED, "not_stored", _not_stored(error).sentence)
        raise
    except BaseException as error:
        _end(run, Status.FAILED, "unexpected", f"Stopped by {type(error).__name__}; the log has the details.")
        raise
    _end(run, Status.DONE, "", _sentence(run, snapshot), snapshot)
    return run


def _not_stored(error: DatabaseError) -> Problem:
    return Problem("not_stored", f"What was seen could not be stored ({error}). The last report stays.")


def refresh_report(host: Host) -> None:
    """Build the latest report anew after somebody changed a limit, a protection, a budget or a requirement."""
    snapshot = host.snapshots.select_related("document").first()
    if snapshot is None:
        return
    observation = Observation(
        inventory=snapshots.load(snapshot),
        readings=snapshots.readings(snapshot),
        events=(),
        observed_at=snapshot.observed_at,
        duration_ms=snapshot.duration_ms,
    )
    layers = known_layers(host, observation.inventory.layered_ids)
    report = _report(host, observation, ledger.Ledger(host), layers)
    Snapshot.objects.filter(pk=snapshot.pk).update(**snapshots.figures(report))


def _observe_and_store(host: Host, run: ObservationRun) -> Snapshot:
    progress = _Progress(run)
    last = host.snapshots.first()
    seen = observe(host, since=last.observed_at if last else None, progress=progress)
    layers = learn_layers(host, seen.engine, seen.observation.inventory.layered_ids, progress=progress)
    progress("storing")
    return store(host, seen.observation, layers, first=last is None)


def store(host: Host, observation: Observation, layers: Mapping[str, Layers], *, first: bool) -> Snapshot:
    """Judge and keep one observation, all of it or nothing. The `first` one enters running builders as required."""
    with transaction.atomic():
        record_contact(host)
        book = ledger.Ledger(host)
        if first:
            require_running_builders(host, observation.inventory)
        book.record(
            observation.inventory,
            observation.events,
            events_lost=observation.readings.events_truncated,
            now=observation.observed_at,
        )
        report = _report(host, observation, book, layers)
        snapshot = snapshots.store(host, observation, report)
        snapshots.thin(host, now=observation.observed_at)
    return snapshot


def _report(host: Host, observation: Observation, book: ledger.Ledger, layers: Mapping[str, Layers]) -> Report:
    policy = policy_of(host)
    judgement = Judgement(
        observation.inventory,
        book.history(now=observation.observed_at),
        policy,
        layers,
        now=observation.observed_at,
    )
    return build_report(host, observation, judgement, policy)


class _Progress:
    """Says on the run's row how far it is: twice a second at most, since each word costs a commit."""

    def __init__(self, run: ObservationRun) -> None:
        self._run = run
        self._said_at = monotonic()

    def __call__(self, words: str) -> None:
        if monotonic() - self._said_at >= SAID_EVERY_SECONDS:
            ObservationRun.objects.filter(pk=self._run.pk).update(progress=words[:200])
            self._said_at = monotonic()


@contextmanager
def _alone(host: Host) -> Iterator[None]:
    """Hold the host's observation lock on this machine, with what a dead worker left settled."""
    with observation_lock(host) as held:
        if not held:
            raise _already_running(host)
        _settle_dead(host)
        yield


def _settle_dead(host: Host) -> None:
    """Only while the lock is held: a run that is still marked as running by this machine has lost its worker."""
    _settle_lost(host.runs.filter(status=Status.RUNNING, machine=platform.node()))


def _settle_lost(runs: QuerySet[ObservationRun]) -> None:
    sentence = "Its worker died before it was done. Nothing was stored; the next observation starts afresh."
    runs.update(**_ending(Status.LOST, "lost", sentence))


def _give_up_old(host: Host, *, but: ObservationRun | None = None) -> None:
    """A run nobody has ended for ten minutes is lost: its own time limits are far below that."""
    long_ago = timezone.now() - GIVEN_UP_AFTER
    waiting = host.runs.filter(status=Status.QUEUED, asked_at__lt=long_ago)
    _settle_lost(waiting.exclude(pk=but.pk) if but else waiting)
    _settle_lost(host.runs.filter(status=Status.RUNNING, started_at__lt=long_ago))


def _claim(host: Host, asked_by: str, run: ObservationRun | None) -> ObservationRun:
    """The run, marked as running: the one for the host, which the database sees to.

    A queued one is claimed by exactly one worker. Raises _Taken if that is another, Problem if the host is busy.
    """
    _give_up_old(host, but=run)
    _forget_old_runs(host)
    now = timezone.now()
    claimed = {
        "status": Status.RUNNING,
        "started_at": now,
        "machine": platform.node()[:100],
        "progress": "asking the engine and reading the machine",
    }
    try:
        with transaction.atomic():
            if run is None:
                return ObservationRun.objects.create(host=host, asked_by=asked_by, asked_at=now, **claimed)
            mine = ObservationRun.objects.filter(pk=run.pk, status=Status.QUEUED).update(**claimed)
    except IntegrityError as error:
        raise _already_running(host) from error
    if not mine:
        raise _Taken
    run.refresh_from_db()
    return run


def _forget_old_runs(host: Host) -> None:
    """Of each host the last runs stay; what they saw is in its snapshots."""
    old = list(host.runs.values_list("pk", flat=True)[KEPT_RUNS : KEPT_RUNS + KEPT_RUNS])
    if old:
        host.runs.filter(pk__in=old).exclude(status__in=(Status.QUEUED, Status.RUNNING)).delete()


def _already_running(host: Host) -> Problem:
    return Problem("observation_running", f"{host.name} is being observed already. Wait for it, then look again.")


def _end(run: ObservationRun, status: str, code: str, sentence: str, snapshot: Snapshot | None = None) -> None:
    ObservationRun.objects.filter(pk=run.pk).update(snapshot=snapshot, **_ending(status, code, sentence))
    run.refresh_from_db()


def _ending(status: str, code: str, sentence: str) -> dict[str, object]:
    return {"status": status, "code": code, "sentence": kept(sentence), "ended_at": timezone.now(), "progress": ""}


def _sentence(run: ObservationRun, snapshot: Snapshot) -> str:
    report = snapshots.stored_report(snapshot)
    state = "healthy" if report.status == "healthy" else f"needs attention: {len(report.findings)} findings"
    last = ObservationRun.objects.filter(host=run.host_id, started_at__lt=run.started_at).first()
    lost = last is not None and last.status == Status.LOST
    before = "The observation before this one was lost: its worker died. " if lost else ""
    return f"{before}Saw {snapshot.resources} resources in {snapshot.duration_ms / 1000:.1f} s; {state}."
