"""The routine kinds as their schedules run them: under a standing approval, held back by each gate with its reason."""

from collections.abc import Iterator
from datetime import timedelta

import docker
import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from hygiene.models import Protection
from launchplane.access.models import User
from launchplane.changes.apply import apply_queued
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.standing import Caps, grant, in_force, request_standing, review
from launchplane.hosts.models import Host, RequiredWarm
from launchplane.problems import Waits
from launchplane.schedule import jobs
from tests.engine_things import a_running_container, an_image, build, cache_bytes, image_ids
from tests.hygiene_changes.ways import BUILD_CACHE, DANGLING, person

pytestmark = [pytest.mark.engine, pytest.mark.django_db]

PLENTY = Caps(items_per_run=500, items_per_day=5000, bytes_per_run=10**12, bytes_per_day=10**13)


def standing(kind: str, host: Host, operator: User, approver: User, caps: Caps = PLENTY) -> StandingApproval:
    expires_at = timezone.now() + timedelta(days=30)
    row = request_standing(kind, host, by=person(operator), reason="routine", caps=caps, expires_at=expires_at)
    return grant(row, by=person(approver), digest=row.bounds_digest, reason="fine", password_at=timezone.now())


def run(kind: str, host: Host) -> str:
    """What the schedule's row says of one run; what it queued is carried out."""
    job = jobs.find(kind)
    assert job is not None
    said = job.run(host)
    for change in Change.objects.filter(status=Change.Status.APPROVED):
        apply_queued(str(change.pk))
    return said


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

    run(DANGLING, host)

    change = Change.objects.get()
    assert (change.status, change.sentence) == (Change.Status.COMPLETED, "1 done.")
    assert image_ids(client) == set()


def test_without_one_it_does_not_run(client: docker.DockerClient, host: Host) -> None:
    an_image(client, "labelled", labelled=True)

    with pytest.raises(Waits, match="no standing approval"):
        run(DANGLING, host)


@pytest.mark.req("D7")
def test_with_nothing_to_do_there_is_a_sentence_and_no_change(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    standing(DANGLING, host, operator, approver)

    assert run(DANGLING, host) == "Nothing to do: no unused dangling image carries ci.managed=true."
    assert not Change.objects.exists()


@pytest.mark.req("P3")
@pytest.mark.req("P14")
@pytest.mark.req("P15")
def test_under_the_threshold_it_says_the_percentage_and_keeps_the_cache(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    Host.objects.filter(pk=host.pk).update(pressure_percent=100)
    host.refresh_from_db()
    standing(BUILD_CACHE, host, operator, approver)
    build(client)
    had = cache_bytes(client)

    said = run(BUILD_CACHE, host)

    assert said.startswith("Skipped. pressure: ")
    assert "% (< 100 %): keeping the local image cache, nothing to do." in said
    assert cache_bytes(client) == had


@pytest.mark.req("P3")
def test_over_the_threshold_it_cleans(client: docker.DockerClient, host: Host, operator: User, approver: User) -> None:
    standing(BUILD_CACHE, host, operator, approver)
    host.budgets.filter(scope="build_cache").update(max_bytes=None, reserve_bytes=0)
    StandingApproval.objects.all().delete()
    standing(BUILD_CACHE, host, operator, approver)
    build(client)

    run(BUILD_CACHE, host)

    assert Change.objects.get().status == Change.Status.COMPLETED
    assert cache_bytes(client) == 0


@pytest.mark.req("P4")
def test_while_a_run_is_in_progress_it_skips_and_cleans_when_that_is_over(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    Host.objects.filter(pk=host.pk).update(run_patterns=["^[a-z0-9]{1,4}-[0-9a-f]{6}_ci_"])
    host.refresh_from_db()
    standing(BUILD_CACHE, host, operator, approver)
    build(client)
    job = a_running_container(client, "ab1-0f3c9d_ci_shop_net_1")

    said = run(BUILD_CACHE, host)
    job.remove(force=True)
    run(BUILD_CACHE, host)

    assert said == "Skipped. idle: A run is in progress: container ab1-0f3c9d_ci_shop_net_1."
    assert Change.objects.get().status == Change.Status.COMPLETED


@pytest.fixture
def swarm(client: docker.DockerClient) -> Iterator[None]:
    client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1")
    yield
    client.swarm.leave(force=True)


@pytest.mark.req("P5")
@pytest.mark.usefixtures("swarm")
def test_while_a_service_lacks_tasks_it_skips_and_cleans_when_that_is_over(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    standing(BUILD_CACHE, host, operator, approver)
    build(client)
    service = client.services.create("nowhere/to-be-found:1", name="shop_web")

    said = run(BUILD_CACHE, host)
    service.remove()
    run(BUILD_CACHE, host)

    assert said == "Skipped. converged: Not every service has its tasks: shop_web runs 0 of 1."
    assert Change.objects.get().status == Change.Status.COMPLETED


@pytest.mark.usefixtures("swarm")
@pytest.mark.req("P4")
def test_a_stack_that_matches_a_run_pattern_is_a_run(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    Host.objects.filter(pk=host.pk).update(run_patterns=["^ci_run_"])
    host.refresh_from_db()
    standing(BUILD_CACHE, host, operator, approver)
    build(client)
    labels = {"com.docker.stack.namespace": "ci_run_7"}
    client.services.create("nowhere/to-be-found:1", name="web", labels=labels, mode={"Replicated": {"Replicas": 0}})

    assert run(BUILD_CACHE, host) == "Skipped. idle: A run is in progress: stack ci_run_7."


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
