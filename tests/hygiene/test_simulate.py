"""A budget, tried over the past before it is set."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from hygiene.contracts import BudgetRule, Inventory
from hygiene.models import Budget
from hygiene.simulate import Trial, try_budget
from launchplane.hosts.models import Host
from tests.factories import GB, a_container, a_host, an_image, an_inventory, observed
from tests.hygiene.forest import a_record

pytestmark = [pytest.mark.django_db, pytest.mark.req("X20")]
DAY = timedelta(days=1)
NOW = timezone.now()
LEFT = an_image(size=3 * GB)
WEB = an_image("web:1", size=2 * GB)


@pytest.fixture
def host() -> Host:
    return a_host()


def rule(scope: str, *, days: int = 0, most: int | None = None) -> BudgetRule:
    return BudgetRule(scope=scope, max_bytes=most, reserve_bytes=0, min_age_seconds=days * 86_400)


def seen(host: Host, **days_ago: Inventory) -> None:
    """`d5=…` is what was there five days ago. Oldest first."""
    for name, inventory in days_ago.items():
        observed(host, inventory, at=NOW - int(name[1:]) * DAY)


def trials(host: Host, bounds: BudgetRule, **options: Any) -> list[tuple[int, int | None, int]]:
    """How many would have gone, what that frees, and how many were used again: newest snapshot first."""
    return [(trial.count, trial.freed_bytes, trial.used_again) for trial in try_budget(host, bounds, **options)]


def test_a_trial_says_what_would_have_gone_at_each_snapshot(host: Host) -> None:
    seen(host, d20=an_inventory(), d10=an_inventory([LEFT]), d1=an_inventory([LEFT]))
    assert trials(host, rule("images.dangling", days=7)) == [(1, 3 * GB, 0), (0, 0, 0), (0, 0, 0)]


def test_a_trial_has_the_time_of_its_snapshot(host: Host) -> None:
    seen(host, d3=an_inventory(), d2=an_inventory())
    found: list[Trial] = try_budget(host, rule("images"))
    assert [trial.observed_at for trial in found] == [NOW - 2 * DAY, NOW - 3 * DAY]


def test_what_would_have_gone_and_runs_again_by_now_counts_as_used_again(host: Host) -> None:
    running = an_inventory([WEB], containers=[a_container("web", WEB)])
    seen(host, d20=an_inventory([WEB]), d10=an_inventory([WEB]), d1=running)
    assert trials(host, rule("images", days=7)) == [(0, 0, 0), (1, 2 * GB, 1), (0, 0, 0)]


def test_what_was_used_once_since_and_rests_again_counts_as_used_again(host: Host) -> None:
    running = an_inventory([WEB], containers=[a_container("web", WEB)])
    seen(host, d20=an_inventory([WEB]), d10=an_inventory([WEB]), d5=running, d4=an_inventory([WEB]))
    assert trials(host, rule("images", days=7))[2] == (1, 2 * GB, 1)


def test_build_cache_that_a_later_snapshot_says_was_used_counts_as_used_again(host: Host) -> None:
    old = a_record("r1", GB, shared=False).model_copy(update={"last_used_at": NOW - 30 * DAY})
    used = old.model_copy(update={"last_used_at": NOW - 5 * DAY})
    seen(host, d10=an_inventory(cache=[old]), d1=an_inventory(cache=[used]))
    assert trials(host, rule("build_cache", days=7)) == [(0, 0, 0), (1, GB, 1)]


def test_the_hosts_own_budget_of_that_scope_is_replaced_and_the_others_count_for_nothing(host: Host) -> None:
    Budget.objects.filter(host=host).update(min_age_seconds=0, max_bytes=None, reserve_bytes=0)
    seen(host, d10=an_inventory([LEFT, WEB]), d1=an_inventory([LEFT, WEB]))
    assert trials(host, rule("images", days=900))[0] == (0, 0, 0)
    assert trials(host, rule("images.dangling"))[0] == (1, 3 * GB, 0)


def test_trying_a_budget_changes_nothing(host: Host) -> None:
    seen(host, d10=an_inventory([LEFT]))
    before = list(Budget.objects.filter(host=host).values())
    try_budget(host, rule("images.dangling"))
    assert list(Budget.objects.filter(host=host).values()) == before


def test_only_so_many_snapshots_are_looked_at(host: Host) -> None:
    seen(host, d5=an_inventory(), d4=an_inventory(), d3=an_inventory())
    assert len(trials(host, rule("images"), snapshots=2)) == 2
    assert trials(a_host("never-seen"), rule("images")) == []
