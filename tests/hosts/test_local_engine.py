"""Observing a real engine: what it holds is seen, nothing is changed, no secret comes along."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docker
import pytest
from docker.types import Mount

from launchplane.hosts.contracts import RawObservation
from launchplane.hosts.local_engine import LocalEngine
from launchplane.sandbox.dockerd import PrivateEngine
from onhost.engine.questions import BUILDER_READS
from tests.faults import EngineSocket

pytestmark = pytest.mark.engine

SECRET = "hunter2-canary"
IMAGE = "shop/web:1.5"


@pytest.fixture
def client(planted_engine: PrivateEngine) -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=planted_engine.url, version="1.41")
    yield client
    client.close()


def observe(url: str, *, since: datetime | None = None) -> RawObservation:
    return LocalEngine(url).observe(since=since, until=datetime.now(UTC), progress=lambda _: None)


def test_a_real_engine_introduces_itself(planted_engine: PrivateEngine, client: docker.DockerClient) -> None:
    identity = LocalEngine(planted_engine.url).identify()

    assert identity.engine_id == client.info()["ID"]
    assert identity.engine_version == client.version()["Version"]
    assert Path(identity.docker_root) == planted_engine.data_root
    assert identity.api_version == min(client.version()["ApiVersion"], "1.52")


@pytest.mark.req("H1")
def test_observing_sends_only_get_and_the_three_named_reads_in_each_builder(planted_engine: PrivateEngine) -> None:
    with EngineSocket(upstream=str(planted_engine.socket)) as recorder:
        observation = observe(recorder.url, since=datetime.now(UTC) - timedelta(hours=1))
        images = [image["Id"] for image in observation.answers["df"].value["Images"]]
        LocalEngine(recorder.url).image_layers(images, progress=lambda _: None)

    assert {name for name, answer in observation.answers.items() if answer.failed} == set()
    changing = [request for request in recorder.requests if request.method != "GET"]
    execs = [request.exec_argv for request in changing if request.exec_argv]
    assert sorted(tuple(argv) for argv in execs) == sorted(BUILDER_READS.values())
    assert {request.method for request in changing} == {"POST"}
    assert sorted(request.path.split("/")[-1] for request in changing) == ["exec"] * 3 + ["start"] * 3
    assert [request.path for request in recorder.requests].count("/system/df") == 1


def test_a_pass_has_an_answer_of_each_kind_and_names_its_progress(planted_engine: PrivateEngine) -> None:
    told: list[str] = []

    observation = LocalEngine(planted_engine.url).observe(since=None, until=datetime.now(UTC), progress=told.append)

    builder_reads = [name for name in observation.answers if name.startswith("buildkit/")]
    assert sorted(name.rsplit("/", 1)[1] for name in builder_reads) == ["du", "histories", "workers"]
    assert set(observation.answers) - set(builder_reads) == {
        "version",
        "info",
        "df",
        "containers",
        "volumes",
        "services",
        "events",
    }
    assert {line.split(":")[0] for line in told} >= {"df", *builder_reads}


def test_no_environment_command_or_exec_text_of_a_container_comes_along(
    planted_engine: PrivateEngine, client: docker.DockerClient
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=5)
    container = client.containers.run(
        IMAGE, ["sh", "-c", f": {SECRET}; sleep 60"], environment={"TOKEN": SECRET}, network_mode="none", detach=True
    )
    try:
        container.exec_run(["sh", "-c", f": {SECRET}"])
        seen = observe(planted_engine.url, since=since)
    finally:
        container.remove(force=True)

    assert container.id in [listed["Id"] for listed in seen.answers["containers"].value]
    assert SECRET not in repr(seen.answers)


def test_a_short_lived_container_is_seen_in_the_events(
    planted_engine: PrivateEngine, client: docker.DockerClient
) -> None:
    since = datetime.now(UTC)
    container = client.containers.create(IMAGE, ["true"], network_mode="none")
    container.remove()

    events = observe(planted_engine.url, since=since).answers["events"].value

    actions = [event["Action"] for event in events["events"] if event["Actor"]["ID"] == container.id]
    assert actions == ["create", "destroy"]
    assert events["truncated"] is False


def test_a_builder_that_cannot_be_read_has_reasons_and_the_pass_goes_on(
    planted_engine: PrivateEngine, client: docker.DockerClient
) -> None:
    builder = client.containers.run(
        IMAGE,
        ["sleep", "60"],
        name="buildx_buildkit_broken0",
        mounts=[Mount("/var/lib/buildkit", "broken_state")],
        network_mode="none",
        detach=True,
    )
    try:
        answers = observe(planted_engine.url).answers
    finally:
        builder.remove(force=True)
        client.volumes.get("broken_state").remove()

    failed = {name: answer.reason for name, answer in answers.items() if answer.failed}
    assert set(failed) == {f"buildkit/{builder.id}/{read}" for read in BUILDER_READS}
    assert all("buildctl" in (reason or "") for reason in failed.values())


def test_layers_and_history_add_up_to_the_images_size(
    planted_engine: PrivateEngine, client: docker.DockerClient
) -> None:
    images = {image["Id"]: image["Size"] for image in client.api.images()}

    found = LocalEngine(planted_engine.url).image_layers(list(images), progress=lambda _: None)

    assert {image_id: sum(answer.value["sizes"]) for image_id, answer in found.items()} == images
    for image_id, answer in found.items():
        assert answer.value["layers"] == client.api.inspect_image(image_id)["RootFS"]["Layers"]


def test_an_image_that_was_removed_is_gone(planted_engine: PrivateEngine, client: docker.DockerClient) -> None:
    container = client.containers.create(IMAGE, ["true"], network_mode="none")
    image = container.commit("gone", "soon")
    container.remove()
    client.api.remove_image("gone:soon")

    found = LocalEngine(planted_engine.url).image_layers([image.id], progress=lambda _: None)

    assert found[image.id].reason == "gone"


def test_a_swarm_manager_lists_its_services(planted_engine: PrivateEngine, client: docker.DockerClient) -> None:
    assert observe(planted_engine.url).answers["services"].value == []
    client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:0")
    try:
        client.api.create_service(
            {"ContainerSpec": {"Image": IMAGE, "Env": [SECRET]}}, name="web", mode={"Replicated": {"Replicas": 0}}
        )
        (service,) = observe(planted_engine.url).answers["services"].value
    finally:
        client.swarm.leave(force=True)

    assert service["Spec"]["Mode"] == {"Replicated": {"Replicas": 0}}
    assert service["ServiceStatus"]["DesiredTasks"] == 0
    assert SECRET not in repr(service)
