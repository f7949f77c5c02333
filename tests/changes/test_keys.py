"""Idempotency keys that callers choose are well formed, and never those that a plan run gives its change."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from launchplane.access.models import User
from launchplane.changes import keys, plan_runs
from launchplane.changes.models import Change, PlanRun
from launchplane.changes.planning import plan_change
from launchplane.changes.requests import take_apply_key
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from tests.changes import toy
from tests.changes.ways import a_folder_host, person, planned
from tests.factories import a_person

BAD = ["a\0b", "a b", "ä", "x" * 201, "\n"]


@pytest.mark.parametrize("key", BAD)
def test_a_key_that_is_not_well_formed_is_refused_and_nothing_is_stored(host: Host, operator: User, key: str) -> None:
    change = planned(host, operator)
    for asking in (
        lambda: plan_runs.queue_plan(toy.ONCE, host, by=person(operator), idempotency_key=key),
        lambda: plan_change(toy.ONCE, host, by=person(operator), idempotency_key=key),
        lambda: take_apply_key(change, key),
    ):
        with pytest.raises(Problem) as refused:
            asking()
        assert refused.value.code == "bad_key"
    assert (PlanRun.objects.count(), Change.objects.count()) == (0, 1)


def test_a_change_is_not_ordered_with_an_empty_key(host: Host, operator: User) -> None:
    with pytest.raises(Problem) as refused:
        take_apply_key(planned(host, operator), "")
    assert refused.value.code == "bad_key"


def test_nobody_can_take_the_key_of_a_plan_run_before_it(host: Host, operator: User, tmp_path: Path) -> None:
    run = plan_runs.queue_plan(toy.ONCE, host, by=person(operator))
    other, second = a_folder_host(tmp_path / "other", "other-host"), a_person("second")
    with pytest.raises(Problem, match="no blanks"):
        plan_change(toy.ONCE, other, by=person(second), idempotency_key=keys.of_run(run.pk))
    squatted = plan_change(toy.ONCE, other, by=person(second), idempotency_key=f"plan-run-{run.pk}")
    plan_runs.run_queued(run.pk)
    run.refresh_from_db()
    assert run.status == PlanRun.Status.DONE
    assert run.change not in (None, squatted)


def test_a_run_that_is_lost_leads_to_no_change_of_somebody_else(host: Host, operator: User, tmp_path: Path) -> None:
    run = plan_runs.queue_plan(toy.ONCE, host, by=person(operator))
    other = a_folder_host(tmp_path / "other", "other-host")
    plan_change(toy.ONCE, other, by=person(a_person("third")), idempotency_key=f"plan-run-{run.pk}")
    PlanRun.objects.update(asked_at=timezone.now() - timedelta(minutes=20))
    plan_runs.settle()
    run.refresh_from_db()
    assert (run.status, run.change) == (PlanRun.Status.LOST, None)
