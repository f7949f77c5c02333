"""Rows first, then the record: everybody waits for the chain's head, and whoever holds it takes nothing else."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction

from audits import record
from launchplane.access.people import WORKER
from launchplane.changes import standing
from launchplane.changes.claim import claim
from launchplane.changes.finish import mark_in_doubt
from launchplane.changes.kinds import kind_named
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.requests import cancel, find_change, request_change
from launchplane.changes.routine import run_routine
from launchplane.hosts.edits import record_edit
from launchplane.schedule.models import Schedule
from tests.changes import toy
from tests.changes.ways import a_folder_host, granted, person, planned, requested, standing_request
from tests.factories import a_person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time"),
]
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
PATIENCE_SECONDS = 30


class Race:
    """One deed stops before its record, with its rows taken, until another has come as far as it can."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.errors: list[BaseException] = []
        self._patch = monkeypatch

    def run(self, first: Callable[[], object], until_told: str, second: Callable[[], object]) -> None:
        """`first` waits where it tells `until_told`; goes on once `second` waits for something it holds."""
        there, go, real = threading.Event(), threading.Event(), record.append

        def append(**fields: Any) -> object:
            if fields["kind"] == until_told and threading.current_thread() is one:
                there.set()
                go.wait(PATIENCE_SECONDS)
            return real(**fields)

        self._patch.setattr(record, "append", append)
        one, two = self._thread(first), self._thread(second)
        one.start()
        assert there.wait(PATIENCE_SECONDS)
        two.start()
        self._await_a_blocked_one(two)
        go.set()
        for thread in (one, two):
            thread.join(PATIENCE_SECONDS)

    def _thread(self, deed: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            try:
                deed()
            except Exception as error:  # shown by the test
                self.errors.append(error)
            finally:
                connections.close_all()

        return threading.Thread(target=run, daemon=True)

    def _await_a_blocked_one(self, thread: threading.Thread) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and thread.is_alive():
            with connection.cursor() as cursor:
                cursor.execute(BLOCKED)
                if cursor.fetchone()[0]:
                    return
        pytest.fail("the second one did not have to wait")


@pytest.fixture
def race(monkeypatch: pytest.MonkeyPatch) -> Race:
    return Race(monkeypatch)


def test_a_rejection_and_a_grant_at_once_do_not_kill_each_other(race: Race, tmp_path: Path) -> None:
    host, operator = a_folder_host(tmp_path / "host"), a_person()
    approver = a_person("approver", group="Approvers")
    before = granted(standing_request(host, operator), approver)
    row = standing_request(host, operator)
    race.run(
        lambda: standing.revoke(StandingApproval.objects.get(pk=row.pk), by=person(operator), reason="no"),
        "standing.rejected",
        lambda: granted(StandingApproval.objects.get(pk=row.pk), approver),
    )
    row.refresh_from_db()
    before.refresh_from_db()
    assert [getattr(error, "code", error) for error in race.errors] == ["not_awaiting"]
    assert (row.ended, before.ended) == ("rejected", "")


def test_a_new_plan_and_a_request_for_an_older_one_do_not_either(race: Race, tmp_path: Path) -> None:
    host, operator = a_folder_host(tmp_path / "host"), a_person()
    older, newer = planned(host, operator), planned(host, operator)
    # two that were planned at once are both there
    Change.objects.filter(pk=older.pk).update(status="planned", why_closed="")
    race.run(
        lambda: request_change(find_change(older.pk), by=person(operator), reason="disk is full"),
        "change.requested",
        lambda: planned(host, operator),
    )
    assert race.errors == []
    assert [find_change(change.pk).status for change in (older, newer)] == ["awaiting_approval", "closed"]


def test_a_request_and_taking_back_an_older_one_do_not_either(race: Race, tmp_path: Path) -> None:
    host, operator = a_folder_host(tmp_path / "host"), a_person()
    older, newer = requested(host, operator), requested(host, operator)
    Change.objects.filter(pk=older.pk).update(status="awaiting_approval", why_closed="")
    third = planned(host, operator)
    race.run(
        lambda: cancel(find_change(older.pk), by=person(operator), reason="not needed"),
        "change.cancelled",
        lambda: request_change(third, by=person(operator), reason="disk is full"),
    )
    assert race.errors == []
    closed = [find_change(change.pk).why_closed for change in (older, newer, third)]
    assert closed == ["cancelled", "superseded", ""]


def test_an_edit_of_a_schedule_and_a_routine_run_in_doubt_do_not_either(race: Race, tmp_path: Path) -> None:
    host = a_folder_host(tmp_path / "host")
    live = granted(standing_request(host, a_person()), a_person("approver", group="Approvers"))
    schedule = Schedule.objects.create(job=toy.ROUTINE, host=host, cron="0 * * * *")
    run_routine(kind_named(toy.ROUTINE), host)  # type: ignore[arg-type]
    claimed = claim(Change.objects.get(standing=live), by=WORKER).change

    def edit() -> None:
        with transaction.atomic():
            Schedule.objects.filter(pk=schedule.pk).update(cron="5 * * * *")
            record_edit(schedule, "changed", {})

    race.run(edit, "edit.schedule", lambda: mark_in_doubt(claimed, "its worker ended", by=WORKER))
    live.refresh_from_db()
    assert race.errors == []
    assert (find_change(claimed.pk).status, live.suspended_at is not None) == ("in_doubt", True)
