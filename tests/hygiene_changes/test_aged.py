"""What is left over and old, on a real engine whose things are some days older than they say."""

from datetime import timedelta

import docker
import pytest

from hygiene.services import observe_host
from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.engine_things import a_container, an_image, image_ids
from tests.hygiene_changes.clock import Clock, seen_and_a_day_later
from tests.hygiene_changes.ways import AGED, applied, outcomes, planned

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.each_database]


@pytest.mark.req("P7")
@pytest.mark.req("P10")
def test_stopped_containers_and_dangling_images_of_yesterday_go(
    client: docker.DockerClient, host: Host, operator: User, approver: User, clock: Clock
) -> None:
    an_image(client, "dangling")
    kept = an_image(client, "tagged", tag="app:1")
    a_container(client, "app:1", "left-over", volumes={"data": {"bind": "/data", "mode": "rw"}})
    seen_and_a_day_later(host, clock)

    change = applied(AGED, host, operator, approver)

    assert change.status == Change.Status.COMPLETED, change.sentence
    assert outcomes(change) == ["done", "done"]
    assert image_ids(client) == {kept}
    assert client.containers.list(all=True) == []
    assert [volume.name for volume in client.volumes.list()] == ["data"]


@pytest.mark.req("P7")
def test_what_is_younger_than_a_day_stays_whatever_the_budget(
    client: docker.DockerClient, host: Host, operator: User, clock: Clock
) -> None:
    an_image(client, "dangling")
    seen_and_a_day_later(host, clock)
    clock.ahead = timedelta(hours=23)

    assert planned(AGED, host, operator).planned().steps == ()


@pytest.mark.req("H37")
def test_nothing_that_looks_like_buildkit_goes(
    client: docker.DockerClient, host: Host, operator: User, clock: Clock
) -> None:
    an_image(client, "app", tag="app:1")
    an_image(client, "buildkit", tag="moby/buildkit:buildx-stable-1")
    a_container(client, "app:1", "buildx_buildkit_old0", volumes={"state": {"bind": "/x", "mode": "rw"}})
    a_container(client, "moby/buildkit:buildx-stable-1", "another")
    seen_and_a_day_later(host, clock)

    assert planned(AGED, host, operator).planned().steps == ()


@pytest.mark.req("H34")
def test_it_waits_for_phase_one(
    client: docker.DockerClient, host: Host, operator: User, approver: User, clock: Clock
) -> None:
    an_image(client, "dangling")
    observe_host(host, asked_by="a test")
    clock.ahead = timedelta(hours=25)

    change = applied(AGED, host, operator, approver)

    assert change.status == Change.Status.APPROVED
    assert "phase_one" in change.sentence
