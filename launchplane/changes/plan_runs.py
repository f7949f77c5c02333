"""Planning as work of the queue (H26): a row says who asked for what and how it went, the task only carries its number.

Planning observes the host, which may take minutes; no web request waits for that. Nothing is changed on a host.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.tasks import async_task

from audits.kept import kept
from launchplane import canonical
from launchplane.access.people import Principal
from launchplane.access.rights import may
from launchplane.changes import keys, lock, records
from launchplane.changes.models import Change, PlanRun
from launchplane.changes.planning import known_kind, plan_once
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused, Waits

log = logging.getLogger(__name__)

Status = PlanRun.Status
OPEN = (Status.QUEUED, Status.RUNNING)
TASK = "launchplane.changes.plan_runs.run_queued"
# the queue ends a task of its own after five minutes
GIVEN_UP_AFTER = timedelta(minutes=10)
KEPT_RUNS = 500

# what two runs have in common that are about the same, for the same
SAME = ("host_id", "kind", "asked_digest", "identity")

OTHER_PLAN = "This idempotency key was used for another plan. Use a new key."
WORKER_DIED = "Its worker ended before the plan was made. Nothing was stored and nothing was changed: plan it again."
NOBODY_CAME = "No worker took it within 10 minutes. Nothing was changed: see that the workers run, then plan it again."


def queue_plan(
    kind_name: str, host: Host, *, by: Principal, idempotency_key: str | None = None, **asked: Any
) -> PlanRun:
    """Have a worker plan it: the run that says how far that is. `asked` goes to the kind's planner.

    The same that this person has under way already, or asked for with the same key, is given again. Raises Refused
    `not_permitted` (recorded) or `key_conflict`, and Problem `no_such_kind` or `bad_key`.
    """
    key = keys.chosen(idempotency_key)
    require_right(by, kind_name, host)
    settle(host)
    return _known(run := _run(kind_name, host, by, key, asked)) or _queued(run, by)


def queue_for_program(kind_name: str, host: Host, *, by: Principal, scope: str, asked: Mapping[str, Any]) -> PlanRun:
    """`queue_plan` for a program, which its door has let in and found to be allowed this.

    `scope` tells its idempotency key from everybody else's. A key leads to one run for good, also to one that failed:
    a program that repeats its call has to hear of that. Raises Refused `key_conflict`, and Waits `in_flight` while the
    same is being planned for it under another key.
    """
    settle(host)
    run = _run(kind_name, host, by, keys.of_program(scope), asked)
    known = of_program(scope) or _known(run) or _queued(run, by)
    if not _is_same(known, run):
        raise Refused("key_conflict", OTHER_PLAN)
    if known.idempotency_key != run.idempotency_key:
        raise Waits("in_flight", "The same is being planned for you right now, under another idempotency key.")
    return known


def of_program(scope: str) -> PlanRun | None:
    """The run that a program's key has led to before, read now."""
    run = PlanRun.objects.filter(idempotency_key=keys.of_program(scope)).select_related("host").last()
    if run is not None and run.is_open:
        settle_run(run)
    return run


def open_runs(identity: str) -> int:
    """How many plans somebody is waiting for."""
    return PlanRun.objects.filter(identity=identity, status__in=OPEN).count()


def run_queued(run_id: int) -> None:
    """What a worker does with a number. How it went is on the run's row; a second delivery does nothing."""
    with _alone(run_id) as mine:
        if mine and (run := _claim(run_id)) is not None:
            _plan(run)


def again(run: PlanRun, *, by: Principal) -> PlanRun:
    """Have the same planned once more, asked for by `by`. Raises what `queue_plan` raises."""
    return queue_plan(run.kind, run.host, by=by, **json.loads(run.asked))


def settle(host: Host | None = None) -> int:
    """Say of each open run that has no worker what became of it. Returns how many were said to be at an end."""
    found = PlanRun.objects.filter(status__in=OPEN)
    return sum(settle_run(run) for run in (found.filter(host=host) if host else found))


def settle_run(run: PlanRun) -> bool:
    """True if `run` turned out to be at an end: its worker died, or none came for it. It is read anew then."""
    waited_since = run.started_at or run.asked_at
    too_long = waited_since < timezone.now() - GIVEN_UP_AFTER
    if not (too_long if run.status == Status.QUEUED else too_long or _has_lost_its_worker(run)):
        return False
    lost = _end_lost(run)
    run.refresh_from_db()
    return lost


def require_right(by: Principal, kind_name: str, host: Host) -> None:
    """Raises Refused `not_permitted`, which is on record then; Problem `no_such_kind`."""
    kind = known_kind(kind_name)
    if by.user is None or not (by.user.is_active and may(by.user, kind.request_right, host)):
        problem = Refused("not_permitted", f"You may not plan changes of {host.name}. An administrator can allow it.")
        raise records.deny_of_host("change.denied", host, problem, by=by, key=host.name, wanted="plan")


def _run(kind_name: str, host: Host, by: Principal, key: str | None, asked: Mapping[str, Any]) -> PlanRun:
    text = canonical.canonical(dict(asked)).decode()
    return PlanRun(
        host=host,
        kind=kind_name,
        asked=text,
        asked_digest=canonical.digest(text.encode()),
        identity=by.id,
        asked_by=by.user,
        asked_by_name=by.name,
        source=by.source,
        asked_at=timezone.now(),
        idempotency_key=key,
    )


def _known(run: PlanRun) -> PlanRun | None:
    """The run of before that is what `run` would be. Raises Refused `key_conflict`."""
    if run.idempotency_key is not None:
        used = PlanRun.objects.filter(idempotency_key=run.idempotency_key, status__in=(*OPEN, Status.DONE)).first()
        if used is not None and not _is_same(used, run):
            raise Refused("key_conflict", OTHER_PLAN)
        if used is not None:
            return used
    same = {name: getattr(run, name) for name in SAME}
    return PlanRun.objects.filter(status__in=OPEN, **same).first()


def _is_same(known: PlanRun, run: PlanRun) -> bool:
    return all(getattr(known, name) == getattr(run, name) for name in SAME)


def _queued(run: PlanRun, by: Principal) -> PlanRun:
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            run.responsible.set(by.responsible)
            # inside: with the queue in the same database the task exists exactly if the run does
            async_task(TASK, run.pk, cluster="observe")
    except IntegrityError:
        # two clicks at once: the other was first
        if (known := _known(run)) is not None:
            return known
        raise
    return run


def _principal(run: PlanRun) -> Principal:
    """Whoever asked for it, with all who answer for that."""
    responsible = tuple(run.responsible.all())
    return Principal(run.identity, run.asked_by_name, run.source, user=run.asked_by, responsible=responsible)


def _claim(run_id: int) -> PlanRun | None:
    """The run, marked as running by this worker; None if it is not there to be begun."""
    mine = PlanRun.objects.filter(pk=run_id, status=Status.QUEUED)
    if not mine.update(status=Status.RUNNING, started_at=timezone.now(), machine=lock.machine()):
        return None
    run = PlanRun.objects.select_related("host", "asked_by").get(pk=run_id)
    _forget_old_runs(run.host)
    return run


def _plan(run: PlanRun) -> None:
    """Plan, and write to the run how it ended, whichever way it does. The right to ask is read again here."""
    try:
        change = plan_once(run.kind, run.host, by=_principal(run), key=keys.of_run(run.pk), asked=json.loads(run.asked))
    except Problem as problem:
        _end(run, Status.FAILED, problem.code, problem.sentence)
    except Exception as error:
        log.exception("plan run %s failed", run.pk)
        _end(run, Status.FAILED, "unexpected", f"Failed unexpectedly: {type(error).__name__}. The log has the details.")
    except BaseException as stop:  # the queue's own time limit is a SystemExit
        _end(run, Status.FAILED, "stopped", f"Stopped before its end by {type(stop).__name__}: too slow, or shut down.")
        raise
    else:
        _end(run, Status.DONE, "", "", change)


def _end(run: PlanRun, status: str, code: str, sentence: str, change: Change | None = None) -> bool:
    """True for the one that ended it: whoever held it for lost meanwhile was first."""
    mine = PlanRun.objects.filter(pk=run.pk, status=run.status)
    ending = {"status": status, "code": code, "sentence": kept(sentence), "change": change}
    return mine.update(ended_at=timezone.now(), **ending) == 1


def _end_lost(run: PlanRun) -> bool:
    """A worker may have died right after its plan was stored: then there is a change to lead to."""
    change = Change.objects.filter(idempotency_key=keys.of_run(run.pk)).first()
    if change is not None:
        return _end(run, Status.DONE, "", "", change)
    return _end(run, Status.LOST, "lost", NOBODY_CAME if run.status == Status.QUEUED else WORKER_DIED)


def _forget_old_runs(host: Host) -> None:
    """Of each host the last runs stay; the changes that came of them stay anyway."""
    old = list(host.plan_runs.values_list("pk", flat=True)[KEPT_RUNS : KEPT_RUNS + KEPT_RUNS])
    if old:
        host.plan_runs.filter(pk__in=old).exclude(status__in=OPEN).delete()


@contextmanager
def _alone(run_id: int) -> Iterator[bool]:
    """Hold the run's own kernel lock, which tells others that its worker lives. Yields False if another holds it."""
    path = _lock_path(run_id)
    with lock.file_held(path) as mine:
        try:
            yield mine
        finally:
            if mine:
                path.unlink(missing_ok=True)


def _has_lost_its_worker(run: PlanRun) -> bool:
    """Whether the worker on this machine is gone; of another machine's workers only their silence is known."""
    if run.machine != lock.machine():
        return False
    with _alone(run.pk) as nobody_else:
        return nobody_else


def _lock_path(run_id: int) -> Path:
    return Path(settings.VAR) / lock.FOLDER / f"plan-{run_id}"
