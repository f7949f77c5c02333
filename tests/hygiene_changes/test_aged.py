"""What is left over and old, on a real engine whose things are some days older than they say."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import docker
import pytest
from django.utils import timezone

from hygiene.services import observe_host
from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import a_container, an_image, image_ids
from tests.faults import EngineSocket, speaks
from tests.hygiene_changes.ways import AGED, applied, outcomes, phase_one_done, planned

pytestmark = [pytest.mark.engine, pytest.mark.django_db]


class Clock:
    """The clock of this process, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        self._now = timezone.now

    def now(self) -> datetime:
        return self._now() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, host: Host, own_engine: PrivateEngine) -> Iterator[Clock]:
    """The engine would wait with its events until the future has come, so it is not asked for them."""
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock.now)
    with EngineSocket({"/events": speaks(b"")}, upstream=str(own_engine.socket)) as engine:
        Host.objects.filter(pk=host.pk).update(docker_url=engine.url)
        host.refresh_from_db()
        yield clock


def seen_and_a_day_later(host: Host, clock: Clock) -> None:
    """The ledger has seen everything; then 25 hours pass, and phase one is done."""
    observe_host(host, asked_by="a test")
    clock.ahead = timedelta(hours=25)
    phase_one_done(host)


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
