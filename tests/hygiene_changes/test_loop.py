"""The labelled loop as a loop: switched on and off, one scan at a time, and nothing that goes wrong gets out of it."""

from collections.abc import Callable

import docker
import pytest
from django.test import Client
from django.utils import timezone

from hygiene.lock import observation_lock
from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from launchplane.sandbox.archive import MIB, Image, archive, filler, layer, shell
from launchplane.sandbox.dockerd import PrivateEngine
from launchplane.schedule.models import Schedule
from launchplane.schedule.tick import adopt, run_job, tick
from tests.engine_things import LABEL, an_image, image_ids
from tests.faults import EngineSocket, says
from tests.hygiene_changes.ways import DANGLING, applied, planned, scheduled, standing
from tests.web.reading import text_of

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.each_database]


@pytest.fixture
def loop(host: Host) -> Schedule:
    """The loop's schedule, as it is when a host is added."""
    return Schedule.objects.get(host=host, job=DANGLING)


@pytest.fixture
def allowed(loop: Schedule, host: Host, operator: User, approver: User) -> Schedule:
    """The same, with a standing approval that lets it clean."""
    standing(DANGLING, host, operator, approver)
    return loop


def switch(loop: Schedule, *, on: bool) -> None:
    loop.refresh_from_db()
    loop.enabled = on
    loop.save()


def due(loop: Schedule) -> int:
    """How many jobs are queued when the loop's time has come."""
    Schedule.objects.exclude(pk=loop.pk).delete()
    Schedule.objects.filter(pk=loop.pk, next_due_at__isnull=False).update(next_due_at=timezone.now())
    return tick()


@pytest.mark.req("D13")
def test_started_twice_it_runs_once(host: Host, loop: Schedule) -> None:
    switch(loop, on=True)
    switch(loop, on=True)
    adopt(host)

    assert due(loop) == 1
    assert Schedule.objects.filter(host=host, job=DANGLING).count() == 1


@pytest.mark.req("D13")
def test_stopped_twice_it_does_not_run_and_starts_again_as_if_nothing_had_been(loop: Schedule) -> None:
    switch(loop, on=True)
    switch(loop, on=False)
    switch(loop, on=False)

    assert due(loop) == 0
    switch(loop, on=True)
    assert due(loop) == 1


@pytest.mark.req("D2")
def test_one_scan_lists_the_images_once(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User
) -> None:
    an_image(client, "labelled", labelled=True)

    with EngineSocket(upstream=str(own_engine.socket)) as recorder:
        Host.objects.filter(pk=host.pk).update(docker_url=recorder.url)
        host.refresh_from_db()
        change = planned(DANGLING, host, operator)

    asked = [request.path for request in recorder.requests]
    assert len(change.planned().steps) == 1
    assert asked.count("/system/df") + asked.count("/images/json") == 1


@pytest.mark.req("D18")
@pytest.mark.parametrize("labelled", ["base", "container", "commit"])
def test_an_image_that_committing_the_same_tag_again_orphaned_is_gone_after_the_next_run(
    client: docker.DockerClient, host: Host, allowed: Schedule, labelled: str
) -> None:
    """The label comes to the new image by any of three ways: its base, the container, or the commit."""
    base = an_image(client, "base", tag="base:1", labelled=labelled == "base")
    first, second = (committed(client, labelled) for _ in range(2))
    assert image_ids(client) == {base, first, second}

    scheduled(DANGLING, host)

    assert image_ids(client) == {base, second}
    assert client.images.get("ci/tenant:test").id == second


def committed(client: docker.DockerClient, labelled: str) -> str:
    """The image of a job that committed its container under the one tag that all its runs have."""
    name, _, value = LABEL.partition("=")
    labels = {name: value} if labelled == "container" else {}
    container = client.containers.create("base:1", ["/none"], labels=labels, network_mode="none")
    changes = [f"LABEL {LABEL}"] if labelled == "commit" else None
    image = container.commit("ci/tenant", "test", changes=changes)
    container.remove()
    assert image.labels == {name: value}
    return str(image.id)


@pytest.mark.req("D26")
def test_a_second_run_does_not_begin_while_the_first_is_under_way(
    client: docker.DockerClient, allowed: Schedule
) -> None:
    an_image(client, "labelled", labelled=True)

    run_job(allowed.pk)
    run_job(allowed.pk)

    allowed.refresh_from_db()
    first = Change.objects.get()
    assert allowed.last_sentence.startswith(f"Not run: change {first.pk} is")


@pytest.mark.req("D26")
def test_two_scans_of_a_host_are_never_under_way_together(host: Host, loop: Schedule) -> None:
    with observation_lock(host) as first, observation_lock(host) as second:
        assert (first, second) == (True, False)


@pytest.mark.req("D11")
@pytest.mark.req("D12")
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"/.*": says({"message": "no"}, status=500)}, "The engine answered with status 500: no"),
        ({"/.*": says([], status=200)}, "unexpected shape"),
        ({"/(system/df|images/json)": says({"message": "no"}, status=500)}, "Not run: Not known: images ("),
    ],
)
def test_whatever_fails_ends_as_a_sentence_of_the_loop_and_the_next_run_cleans(
    client: docker.DockerClient,
    host: Host,
    own_engine: PrivateEngine,
    allowed: Schedule,
    broken: dict[str, Callable[..., None]],
    said: str,
) -> None:
    an_image(client, "labelled", labelled=True)
    with EngineSocket(broken, upstream=str(own_engine.socket)) as door:
        Host.objects.filter(pk=host.pk).update(docker_url=door.url)
        run_job(allowed.pk)
    Host.objects.filter(pk=host.pk).update(docker_url=own_engine.url)
    allowed.refresh_from_db()
    assert allowed.last_ok is False
    assert said in allowed.last_sentence

    host.refresh_from_db()
    scheduled(DANGLING, host)

    assert image_ids(client) == set()


@pytest.mark.req("D12")
def test_an_engine_that_is_gone_ends_as_a_sentence_of_the_loop(host: Host, allowed: Schedule) -> None:
    Host.objects.filter(pk=host.pk).update(docker_url="unix:///nowhere/docker.sock")

    run_job(allowed.pk)

    allowed.refresh_from_db()
    assert (allowed.last_ok, "There is no socket at /nowhere/docker.sock" in allowed.last_sentence) == (False, True)


@pytest.mark.req("D25")
def test_what_layers_free_that_others_hold_too_is_an_estimate_and_called_one(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    """Both hold the base that the tagged image keeps: neither frees it, and the engine names no bytes at all."""
    for run in range(3):
        layers = (shell(), layer(filler("runtime", 3)), layer(filler(f"run-{run}", 2)))
        labels = dict([LABEL.split("=")])
        client.images.load(archive(Image("ci/tenant:test", layers, timezone.now(), ("sh",), labels)))

    change = applied(DANGLING, host, operator, approver)

    own_layer = 2 * MIB
    freed = [step.freed_bytes for step in change.steps.all()]
    assert freed == [own_layer] * 2
    assert change.actual_bytes == change.predicted_bytes == 2 * own_layer
    browser = Client()
    browser.force_login(operator)
    assert "What layers free is reckoned from the images' own sizes" in text_of(browser.get(f"/changes/{change.pk}/"))
