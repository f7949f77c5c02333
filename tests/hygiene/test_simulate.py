"""A budget, tried over the past before it is set."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from hygiene.contracts import BudgetRule, Inventory
from hygiene.models import Budget
from hygiene.parse.builders import pair
from hygiene.simulate import Trial, try_budget
from launchplane.hosts.models import Host
from tests.factories import GB, a_container, a_host, a_volume, an_image, an_inventory, observed
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


def trials(host: Host, bounds: BudgetRule, **options: Any) -> list[tuple[int | None, int | None, int | None]]:
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


@pytest.mark.req("H7")
@pytest.mark.parametrize(
    ("scope", "field"),
    [
        *(("images.dangling", field) for field in ("images", "containers", "docker_summary", "docker_summary.images")),
        *(("images", field) for field in ("images", "services")),
        ("containers", "containers"),
        ("build_cache", "build_cache"),
        ("builder:ci0", "builder:ci0"),
        ("builder:ci0", "containers"),
    ],
)
def test_a_snapshot_that_lacks_what_a_budget_decides_on_has_a_reason_and_no_figures(
    host: Host, scope: str, field: str
) -> None:
    seen(host, d10=an_inventory([LEFT], unmeasured={field: "timed out"}), d1=an_inventory([LEFT]))
    whole, partial = try_budget(host, rule(scope))
    assert (partial.count, partial.freed_bytes, partial.used_again, partial.reason) == (None, None, None, "timed out")
    assert (whole.count is not None, whole.reason) == (True, None)


def test_a_builder_that_did_not_run_had_a_cache_that_nobody_could_read(host: Host) -> None:
    volume = a_volume("buildx_buildkit_ci0_state")
    seen(host, d1=an_inventory(volumes=[volume], builders=pair([], [volume], {}, {})))
    (found,) = try_budget(host, rule("builder:ci0"))
    assert (found.count, found.reason) == (None, "builder ci0 did not run")


def test_what_is_not_measured_of_another_kind_leaves_a_trial_its_figures(host: Host) -> None:
    seen(host, d1=an_inventory([LEFT], unmeasured={"volumes": "timed out", "builder:ci0": "timed out"}))
    assert trials(host, rule("images.dangling"))[0][0] == 1


def test_what_was_there_at_a_snapshot_and_is_gone_by_now_still_counts(host: Host) -> None:
    seen(host, d20=an_inventory([LEFT]), d10=an_inventory([LEFT]), d1=an_inventory())
    assert trials(host, rule("images.dangling", days=7)) == [(0, 0, 0), (1, 3 * GB, 0), (0, 0, 0)]


def test_trying_a_budget_changes_nothing(host: Host) -> None:
    seen(host, d10=an_inventory([LEFT]))
    before = list(Budget.objects.filter(host=host).values())
    try_budget(host, rule("images.dangling"))
    assert list(Budget.objects.filter(host=host).values()) == before


def test_only_so_many_snapshots_are_looked_at(host: Host) -> None:
    seen(host, d5=an_inventory(), d4=an_inventory(), d3=an_inventory())
    assert len(trials(host, rule("images"), snapshots=2)) == 2
    assert trials(a_host("never-seen"), rule("images")) == []
