"""The routine kinds as their schedules run them: under a standing approval, which ends as soon as more may go."""

import docker
import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from hygiene.models import Protection
from launchplane.access.models import User
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.standing import in_force, review
from launchplane.hosts.models import Host, RequiredWarm
from launchplane.problems import Waits
from launchplane.schedule import jobs
from tests.engine_things import an_image, image_ids
from tests.hygiene_changes.ways import BUILD_CACHE, DANGLING, scheduled, standing

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.each_database]


@pytest.mark.req("D1")
@pytest.mark.req("P2")
def test_the_schedules_are_there_and_start_switched_off() -> None:
    found = {name: jobs.find(f"hygiene.{name}") for name in ("dangling", "build-cache", "aged")}

    assert {name: (job.default_cron, job.starts_enabled) for name, job in found.items() if job} == {
        "dangling": ("*/30 * * * *", False),
        "build-cache": ("10 3 * * *", False),
        "aged": ("40 3 * * *", False),
    }
    assert jobs.find("hygiene.retire") is None


@pytest.mark.req("D1")
@pytest.mark.req("D6")
def test_under_a_standing_approval_the_loop_cleans_without_anybody(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    standing(DANGLING, host, operator, approver)
    an_image(client, "labelled", labelled=True)

    scheduled(DANGLING, host)

    change = Change.objects.get()
    assert (change.status, change.sentence) == (Change.Status.COMPLETED, "1 done, freed 2 kB.")
    assert image_ids(client) == set()


def test_without_one_it_does_not_run(client: docker.DockerClient, host: Host) -> None:
    an_image(client, "labelled", labelled=True)

    with pytest.raises(Waits, match="no standing approval"):
        scheduled(DANGLING, host)


@pytest.mark.req("D7")
def test_with_nothing_to_do_there_is_a_sentence_and_no_change(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    standing(DANGLING, host, operator, approver)

    assert scheduled(DANGLING, host) == "Nothing to do: no unused dangling image carries ci.managed=true."
    assert not Change.objects.exists()


@pytest.mark.parametrize("field", ["max_bytes", "reserve_bytes", "min_age_seconds"])
def test_a_budget_that_is_lowered_ends_the_standing_approval(
    client: docker.DockerClient, host: Host, operator: User, approver: User, field: str
) -> None:
    budget = host.budgets.filter(scope="build_cache")
    budget.update(max_bytes=9, reserve_bytes=9, min_age_seconds=9)
    standing(BUILD_CACHE, host, operator, approver)
    budget.update(**{field: 8} | ({"reserve_bytes": 8} if field == "max_bytes" else {}))

    review(host)

    assert in_force(BUILD_CACHE, host) is None


def test_a_budget_that_is_raised_does_not(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    budget = host.budgets.filter(scope="build_cache")
    budget.update(max_bytes=9, reserve_bytes=9, min_age_seconds=9)
    standing(BUILD_CACHE, host, operator, approver)
    budget.update(max_bytes=10, reserve_bytes=10, min_age_seconds=10)
    Protection.objects.create(host=host, kind="image", pattern="^precious", reason="needed")

    review(host)

    assert in_force(BUILD_CACHE, host) is not None


@pytest.mark.parametrize("what", ["protection", "requirement", "label"])
def test_whatever_lets_more_go_ends_it_as_soon_as_it_is_edited(
    client: docker.DockerClient,
    host: Host,
    operator: User,
    approver: User,
    what: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    RequiredWarm.objects.create(host=host, kind=RequiredWarm.Kind.IMAGE, name="app:warm")
    standing(DANGLING, host, operator, approver)

    with django_capture_on_commit_callbacks(execute=True):
        if what == "protection":
            Protection.objects.filter(host=host).last().delete()  # type: ignore[union-attr]
        elif what == "requirement":
            RequiredWarm.objects.get().delete()
        else:
            host.managed_label = "something.else"
            host.save()

    assert in_force(DANGLING, host) is None
    assert StandingApproval.objects.get().ended == StandingApproval.Ended.VOIDED
