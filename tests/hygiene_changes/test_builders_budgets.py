"""Phase one inside the required builders: each to its own budget in its own words, all of them warm afterwards."""

import json

import docker
import pytest

from audits.models import AuditRecord
from hygiene.models import Budget
from hygiene.services import observe_host
from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.engine_things import a_builder, build, prunes_inside
from tests.hygiene_changes.ways import BUILD_CACHE, applied, planned

pytestmark = [pytest.mark.engine, pytest.mark.django_db]

# `buildctl prune --help` up to BuildKit 0.16, and of one that would prune down to nothing
OF_0_16 = "   --keep-duration value  Keep data newer\n   --keep-storage value  Keep data below this limit (in MB)\n"
WITHOUT_FLOOR = "   --filter value  Filter records\n   --all  Include internal references\n"


def seen_with_budgets(host: Host, **scopes: dict[str, int]) -> None:
    """The builders that run are entered as required; only these budgets may be applied."""
    observe_host(host, asked_by="a test")
    host.budgets.update(mode=Budget.Mode.REPORT)
    for node, bounds in scopes.items():
        host.budgets.filter(scope=f"builder:{node}").update(mode=Budget.Mode.APPLY, **bounds)


def bounds(most: int, reserve: int, seconds: int = 600) -> dict[str, int]:
    return {"max_bytes": most * 10**9, "reserve_bytes": reserve * 10**9, "min_age_seconds": seconds}


@pytest.mark.req("H29")
@pytest.mark.req("H31")
@pytest.mark.req("H32")
def test_each_builder_is_pruned_to_its_own_budget_in_its_own_words_and_survives(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    today, older = a_builder(client, "ci0"), a_builder(client, "old0", knows=OF_0_16)
    seen_with_budgets(host, ci0=bounds(9, 3), old0=bounds(8, 2, 60))

    change = applied(BUILD_CACHE, host, operator, approver)

    assert change.status == Change.Status.COMPLETED, change.sentence
    assert [(step.verb, step.target, step.outcome) for step in change.steps.all()] == [
        ("prune-builder", "ci0", "done"),
        ("prune-builder", "old0", "done"),
    ]
    assert prunes_inside(today) == [
        "prune --keep-duration 600s --keep-storage-min 3000 --keep-storage 9000 --format {{json .}}"
    ]
    assert prunes_inside(older) == ["prune --keep-duration 60s --keep-storage 8000 --format {{json .}}"]
    after = json.loads(change.after)
    assert after["missing"] == []
    assert [(warm["node"], warm["state"]) for warm in after["facts"]["warm_builders"]] == [
        ("ci0", "warm"),
        ("old0", "warm"),
    ]


def test_a_builder_that_would_ignore_its_floor_is_refused_and_the_other_is_pruned(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    odd, today = a_builder(client, "ci0", knows=WITHOUT_FLOOR), a_builder(client, "new0")
    seen_with_budgets(host, ci0=bounds(9, 3), new0=bounds(9, 3))

    change = applied(BUILD_CACHE, host, operator, approver)

    first, second = change.steps.all()
    assert (first.outcome, second.outcome, change.status) == ("failed", "done", Change.Status.FAILED)
    assert "knows no bound for what must stay, so nothing was pruned" in first.detail
    assert (prunes_inside(odd), len(prunes_inside(today))) == ([], 1)


@pytest.mark.req("H29")
def test_a_running_builder_that_is_not_required_is_not_pruned(
    client: docker.DockerClient, host: Host, operator: User
) -> None:
    a_builder(client, "ci0")
    seen_with_budgets(host, ci0=bounds(9, 3))
    host.required_warm.all().delete()

    change = planned(BUILD_CACHE, host, operator)

    assert change.planned().steps == ()
    assert [blocker.code for blocker in change.planned().blockers] == ["no_budget_applies"]


@pytest.mark.req("H40")
@pytest.mark.req("H48")
@pytest.mark.req("H49")
def test_the_record_of_a_run_has_all_that_it_rests_on(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    build(client)
    a_builder(client, "ci0")
    observe_host(host, asked_by="a test")
    host.budgets.filter(scope="build_cache").update(mode=Budget.Mode.APPLY, max_bytes=10**6, reserve_bytes=0)

    change = applied(BUILD_CACHE, host, operator, approver)

    dry, *_, end = AuditRecord.objects.filter(key=str(change.pk), kind=BUILD_CACHE).order_by("seq")
    plan, payload = json.loads(dry.payload)["plan"], json.loads(end.payload)
    before, after = payload["before"]["facts"], payload["after"]["facts"]
    assert (end.host, end.actor_name, payload["mode"], payload["failures"]) == (
        host.name,
        operator.username,
        "apply",
        [],
    )
    assert payload["predicted_bytes"] == change.predicted_bytes
    assert payload["actual_bytes"] == change.actual_bytes == before["docker_bytes"] - after["docker_bytes"]
    assert before["disk"]["free_bytes"] > 0 and after["disk"]["free_bytes"] > 0
    assert before["docker_summary"]["build_cache"]["size_bytes"] > after["docker_summary"]["build_cache"]["size_bytes"]
    assert [builder["volume"] for builder in after["builders"]] == ["buildx_buildkit_ci0_state"]
    assert after["budgets"]["build_cache"]["max_bytes"] == 10**6
    assert after["resources_by_rule"]["protected: required_warm"] == 4
    assert plan["facts"]["left_alone"]["required_warm"]["such_as"] == "Required warm on this host: part of builder ci0."
