"""What happens every minute."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ

from launchplane.access.models import User
from launchplane.access.people import WORKER
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.requests import expire_due, find_change
from launchplane.changes.tick import adopt_hosts, queue_due
from launchplane.hosts.models import Host
from launchplane.schedule.chores import run_chore
from launchplane.schedule.models import Schedule
from launchplane.schedule.tick import tick
from tests.changes import toy
from tests.changes.ways import approved, requested, told


def queued() -> list[str]:
    return sorted(str(task.task["func"]) for task in OrmQ.objects.all())


def test_the_tick_queues_every_chore(host: Host) -> None:
    tick()
    chores = [task.task["args"][0] for task in OrmQ.objects.all() if "run_chore" in task.task["func"]]
    assert {"changes.expire", "changes.recover", "changes.apply"} <= set(chores)


def test_what_was_put_off_is_queued_when_it_is_due_by_one_tick(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    toy.sign(host, "closed")
    apply_change(change, by=WORKER)
    OrmQ.objects.all().delete()
    assert queue_due() == 0
    Change.objects.update(next_try_at=timezone.now())
    assert (queue_due(), queue_due()) == (1, 0)
    assert queued() == ["launchplane.changes.apply.apply_queued"]


def test_what_is_asked_for_later_is_not_queued(host: Host, operator: User, approver: User) -> None:
    approved(host, operator, approver)
    Change.objects.update(next_try_at=None)
    assert queue_due() == 0


def test_a_change_whose_gate_stayed_closed_expires(host: Host, operator: User, approver: User) -> None:
    change = approved(host, operator, approver)
    toy.sign(host, "closed")
    apply_change(change, by=WORKER)
    Change.objects.update(deadline=timezone.now() - timedelta(minutes=1))
    assert (queue_due(), expire_due(), expire_due()) == (0, 1, 0)
    change = find_change(change.pk)
    assert (change.status, change.why_closed) == ("closed", "expired")
    assert "toy: closed is there." in change.sentence
    assert told(change)[-1] == ("change.expired", "skipped")


def test_what_is_not_due_does_not_expire(host: Host, operator: User) -> None:
    requested(host, operator)
    assert expire_due() == 0


def test_a_chore_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    run_chore("no such chore")
    assert "the chore no such chore failed" in caplog.text


def test_hosts_that_are_there_get_the_schedules_of_new_kinds(host: Host) -> None:
    assert not Schedule.objects.filter(host=host).exists()
    adopt_hosts()
    assert Schedule.objects.get(host=host, job=toy.ROUTINE).enabled is False


def test_the_models_have_their_migrations(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
