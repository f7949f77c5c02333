"""Phase one on a real engine: the build cache goes down to its budget, and every gate holds it back with a reason."""

import docker
import pytest

from hygiene.models import Budget
from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.engine_things import build, cache_bytes
from tests.hygiene_changes.ways import BUILD_CACHE, applied, outcomes, planned

pytestmark = [pytest.mark.engine, pytest.mark.django_db]


def budget(host: Host, *, most: int | None, reserve: int = 0, age: int = 0, mode: str = Budget.Mode.APPLY) -> None:
    host.budgets.filter(scope="build_cache").update(
        max_bytes=most, reserve_bytes=reserve, min_age_seconds=age, mode=mode
    )


@pytest.mark.req("H29")
@pytest.mark.req("H19")
def test_the_build_cache_goes_down_to_its_budget(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    for number in range(3):
        build(client, f"number-{number}")
    had = cache_bytes(client)
    budget(host, most=6_000_000)

    change = applied(BUILD_CACHE, host, operator, approver)

    assert change.status == Change.Status.COMPLETED, change.sentence
    assert outcomes(change) == ["done"]
    assert 0 < cache_bytes(client) <= 6_000_000 < had
    assert change.actual_bytes == had - cache_bytes(client)
    assert change.after


@pytest.mark.req("H29")
def test_what_was_used_lately_stays(client: docker.DockerClient, host: Host, operator: User, approver: User) -> None:
    build(client)
    had = cache_bytes(client)
    budget(host, most=None, age=3600)

    change = applied(BUILD_CACHE, host, operator, approver)

    assert change.status == Change.Status.COMPLETED, change.sentence
    assert cache_bytes(client) == had


def test_a_reserve_is_kept_whatever_its_age(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    for number in range(2):
        build(client, f"number-{number}")
    budget(host, most=None, reserve=5_000_000)

    applied(BUILD_CACHE, host, operator, approver)

    assert cache_bytes(client) > 0


def test_budgets_that_only_report_block_it(client: docker.DockerClient, host: Host, operator: User) -> None:
    budget(host, most=0, mode=Budget.Mode.REPORT)

    change = planned(BUILD_CACHE, host, operator)

    assert [blocker.code for blocker in change.planned().blockers] == ["no_budget_applies"]
