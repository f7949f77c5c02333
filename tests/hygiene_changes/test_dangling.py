"""The labelled loop on a real engine: exactly the dangling images with the label, whatever happens in the middle."""

from collections.abc import Callable

import docker
import pytest

from hygiene.models import Budget
from launchplane.access.models import User
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import a_container, an_image, image_ids, many_images
from tests.faults import EngineSocket, Request, says
from tests.hygiene_changes.meddling import answered_by, meddling
from tests.hygiene_changes.ways import DANGLING, applied, approved, outcomes, person, planned

pytestmark = [pytest.mark.engine, pytest.mark.django_db]


@pytest.mark.req("D2")
@pytest.mark.req("D4")
@pytest.mark.req("D6")
@pytest.mark.req("H19")
def test_exactly_the_dangling_images_with_the_label_go(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    going = {an_image(client, f"labelled {number}", labelled=True) for number in range(3)}
    an_image(client, "unlabelled")
    an_image(client, "tagged", tag="ci/app:1", labelled=True)
    before = image_ids(client)

    change = applied(DANGLING, host, operator, approver)

    assert change.status == Change.Status.COMPLETED, change.sentence
    assert outcomes(change) == ["done"] * 3
    assert image_ids(client) == before - going
    assert change.actual_bytes == change.predicted_bytes == 3 * 2000
    assert change.sentence == "3 done, freed 6 kB."


@pytest.mark.req("D3")
def test_a_tagged_image_with_the_label_stays(client: docker.DockerClient, host: Host, operator: User) -> None:
    an_image(client, "tagged", tag="ci/app:1", labelled=True)

    assert planned(DANGLING, host, operator).planned().steps == ()


@pytest.mark.req("D3")
def test_a_dangling_image_without_the_label_stays(client: docker.DockerClient, host: Host, operator: User) -> None:
    an_image(client, "unlabelled")

    assert planned(DANGLING, host, operator).planned().steps == ()


@pytest.mark.req("D18")
def test_an_image_that_a_new_one_of_the_same_tag_orphaned_goes_at_once(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    Budget.objects.filter(host=host).update(mode=Budget.Mode.REPORT, min_age_seconds=86400)
    an_image(client, "first", tag="ci/tenant:test", labelled=True)
    second = an_image(client, "second", tag="ci/tenant:test", labelled=True)

    applied(DANGLING, host, operator, approver)

    assert image_ids(client) == {second}


def test_a_budget_that_may_be_applied_adds_its_age(client: docker.DockerClient, host: Host, operator: User) -> None:
    an_image(client, "labelled", labelled=True)
    host.budgets.filter(scope="images.labelled").update(min_age_seconds=3600)

    assert planned(DANGLING, host, operator).planned().steps == ()


def test_one_that_a_stopped_container_uses_stays(client: docker.DockerClient, host: Host, operator: User) -> None:
    used = an_image(client, "used", labelled=True)
    a_container(client, used, "left-over")

    assert planned(DANGLING, host, operator).planned().steps == ()


@pytest.mark.any_database
@pytest.mark.req("D20")
def test_a_backlog_of_136_goes_and_300_others_stay(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    others = set(many_images(own_engine.url, 300))
    many_images(own_engine.url, 136, labelled=True)

    change = applied(DANGLING, host, operator, approver)

    assert change.sentence.startswith("136 done, freed ")
    assert image_ids(client) == others


def tag_it(client: docker.DockerClient, image: str) -> None:
    client.images.get(image).tag("app", "precious")


def use_it(client: docker.DockerClient, image: str) -> None:
    a_container(client, image, "new-user")


def remove_it(client: docker.DockerClient, image: str) -> None:
    client.images.remove(image)


@pytest.mark.req("X1")
@pytest.mark.parametrize(("meddle", "outcome"), [(tag_it, "skipped"), (use_it, "skipped"), (remove_it, "gone")])
def test_what_changes_between_two_removals_is_left_and_said(
    client: docker.DockerClient,
    host: Host,
    own_engine: PrivateEngine,
    operator: User,
    approver: User,
    meddle: Callable[[docker.DockerClient, str], None],
    outcome: str,
) -> None:
    for number in range(3):
        an_image(client, f"labelled {number}", labelled=True)
    change = approved(DANGLING, host, operator, approver)
    last = change.planned().steps[-1].target

    def is_looked_at(request: Request, removals: int) -> bool:
        return request.path == f"/images/{last}/json" and removals == 2

    with meddling(host, own_engine, is_looked_at, lambda: meddle(client, last)):
        change = apply_change(find_change(change.pk), by=person(operator))

    assert change.status == Change.Status.COMPLETED, change.sentence
    assert outcomes(change) == ["done", "done", outcome]


@pytest.mark.req("D8")
@pytest.mark.req("D9")
@pytest.mark.req("D10")
@pytest.mark.req("D12")
@pytest.mark.parametrize(("status", "outcome"), [(409, "skipped"), (404, "gone"), (500, "failed"), (403, "failed")])
def test_what_the_engine_answers_for_one_is_its_outcome_and_the_others_go(
    client: docker.DockerClient,
    host: Host,
    own_engine: PrivateEngine,
    operator: User,
    approver: User,
    status: int,
    outcome: str,
) -> None:
    for number in range(3):
        an_image(client, f"labelled {number}", labelled=True)
    change = approved(DANGLING, host, operator, approver)
    second = change.planned().steps[1].target
    faults = {f"/images/{second}": says({"message": "no"}, status=status)}

    with EngineSocket(faults, upstream=str(own_engine.socket)) as door:
        answered_by(host, door.url)
        change = apply_change(find_change(change.pk), by=person(operator))

    assert outcomes(change) == ["done", outcome, "done"]
    assert change.status == (Change.Status.FAILED if outcome == "failed" else Change.Status.COMPLETED)
    assert image_ids(client) == {second}


def test_a_lost_race_stops_the_run(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    for number in range(3):
        an_image(client, f"labelled {number}", labelled=True)
    change = approved(DANGLING, host, operator, approver)
    second = change.planned().steps[1].target
    faults = {f"/images/{second}": says([{"Untagged": "app:precious"}, {"Deleted": second}])}

    with EngineSocket(faults, upstream=str(own_engine.socket)) as door:
        answered_by(host, door.url)
        change = apply_change(find_change(change.pk), by=person(operator))

    assert outcomes(change) == ["done", "raced", "skipped"]
    assert change.status == Change.Status.FAILED


@pytest.mark.req("D11")
def test_a_list_that_failed_blocks_the_plan(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User
) -> None:
    an_image(client, "labelled", labelled=True)
    faults = {path: says({"message": "no"}, status=500) for path in ("/system/df", "/images/json")}

    with EngineSocket(faults, upstream=str(own_engine.socket)) as door:
        Host.objects.filter(pk=host.pk).update(docker_url=door.url)
        host.refresh_from_db()
        change = planned(DANGLING, host, operator)

    assert "not_measured" in {blocker.code for blocker in change.planned().blockers}
