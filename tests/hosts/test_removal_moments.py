"""What happens on a real engine in the moment between our look at a thing and its removal, or since it was approved."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import docker
import pytest
from docker.types import Mount

from launchplane.hosts import boundary
from launchplane.hosts.local_engine import LocalEngine
from launchplane.hosts.local_removals import LocalRemover
from launchplane.sandbox.dockerd import PrivateEngine
from onhost.engine.removals import ExpectedContainer, ExpectedImage, ExpectedVolume, Removal
from tests.engine_things import a_container, a_quick_container, a_swarm, an_image, image_ids
from tests.engines import an_engine, emptied
from tests.faults import Request
from tests.hygiene_changes.meddling import MeddlingSocket

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def engine() -> Iterator[PrivateEngine]:
    with an_engine() as engine:
        yield engine


@pytest.fixture
def client(engine: PrivateEngine) -> Iterator[docker.DockerClient]:
    with emptied(engine, timeout_seconds=60) as client:
        yield client


def removed(
    engine: PrivateEngine, remove: Callable[[LocalRemover], Removal], *, meanwhile: Callable[[], object]
) -> Removal:
    """The outcome where `meanwhile` happens after the last look, right before the engine is asked to remove."""

    def is_asked(request: Request, _removals: int) -> bool:
        return request.method == "DELETE"

    identity = LocalEngine(engine.url).identify()
    calls = dict.fromkeys(("remove_image", "remove_container", "remove_volume"), 1)
    with (
        MeddlingSocket(engine, is_asked, meanwhile) as socket,
        boundary.within(boundary.Allowance(calls, lambda: True)),
    ):
        door = LocalRemover(socket.url, api_version=identity.api_version, engine_id=identity.engine_id)
        return remove(door)


def image(client: docker.DockerClient, image_id: str, *tags: str) -> ExpectedImage:
    return ExpectedImage(image_id, tags, client.images.get(image_id).attrs["Size"])


def container(found: object) -> ExpectedContainer:
    attrs = found.attrs  # type: ignore[attr-defined]
    return ExpectedContainer(attrs["Id"], attrs["Name"].lstrip("/"), attrs["Image"], seen_at=datetime.now(UTC))


def volume(client: docker.DockerClient, name: str) -> ExpectedVolume:
    attrs = client.volumes.get(name).attrs
    return ExpectedVolume(name, attrs["Driver"], datetime.fromisoformat(attrs["CreatedAt"]))


@pytest.mark.req("X1")
def test_a_tag_that_a_new_build_takes_over_leaves_the_new_image_alone(
    client: docker.DockerClient, engine: PrivateEngine
) -> None:
    expected = image(client, an_image(client, "old", tag="app:1"), "app:1")

    removal = removed(
        engine, lambda door: door.remove_image(expected), meanwhile=lambda: an_image(client, "new", tag="app:1")
    )

    assert removal.outcome == "done"
    assert client.images.get("app:1").id != expected.id
    assert image_ids(client) == {client.images.get("app:1").id}


@pytest.mark.req("X1")
def test_a_second_tag_keeps_the_image_and_the_first(client: docker.DockerClient, engine: PrivateEngine) -> None:
    expected = image(client, an_image(client, "old", tag="app:1"), "app:1")

    removal = removed(
        engine,
        lambda door: door.remove_image(expected),
        meanwhile=lambda: client.images.get("app:1").tag("app", "precious"),
    )

    assert removal.outcome == "skipped"
    assert sorted(client.images.get(expected.id).tags) == ["app:1", "app:precious"]


def test_a_tag_that_a_dangling_image_gets_goes_along_and_is_a_lost_race(
    client: docker.DockerClient, engine: PrivateEngine
) -> None:
    expected = image(client, an_image(client, "old"))

    removal = removed(
        engine,
        lambda door: door.remove_image(expected),
        meanwhile=lambda: client.images.get(expected.id).tag("app", "precious"),
    )

    assert (removal.outcome, "app:precious" in removal.detail) == ("raced", True)


@pytest.mark.req("X1")
@pytest.mark.parametrize("tag", ["", "app:1"])
def test_a_container_made_of_it_keeps_the_image(client: docker.DockerClient, engine: PrivateEngine, tag: str) -> None:
    image_id = an_image(client, "old", tag=tag)
    expected = image(client, image_id, *filter(None, [tag]))

    removal = removed(
        engine, lambda door: door.remove_image(expected), meanwhile=lambda: a_container(client, image_id, "new-user")
    )

    assert removal.outcome == "skipped"
    assert client.images.get(image_id).tags == [*filter(None, [tag])]


def test_an_image_that_others_were_made_from_keeps_its_tag(client: docker.DockerClient, engine: PrivateEngine) -> None:
    expected = image(client, an_image(client, "old", tag="base:1"), "base:1")

    def commit() -> None:
        created = a_container(client, "base:1", "to-commit")
        created.commit("child", "1")
        created.remove()

    removal = removed(engine, lambda door: door.remove_image(expected), meanwhile=commit)

    assert removal.outcome == "skipped"
    assert client.images.get("base:1").id == expected.id


@pytest.mark.req("X1")
def test_a_container_that_is_started_in_the_same_moment_stays(
    client: docker.DockerClient, engine: PrivateEngine
) -> None:
    created = a_quick_container(client, "job", seconds=600)
    expected = container(created)

    removal = removed(engine, lambda door: door.remove_container(expected), meanwhile=created.start)

    assert removal.outcome == "skipped"
    assert [found.name for found in client.containers.list()] == ["job"]


@pytest.mark.req("X1")
def test_a_container_that_ran_since_it_was_approved_stays(client: docker.DockerClient, engine: PrivateEngine) -> None:
    created = a_quick_container(client, "job", seconds=0)
    created.start()
    created.wait()
    created.reload()
    expected = container(created)
    created.start()
    created.wait()

    removal = removed(engine, lambda door: door.remove_container(expected), meanwhile=lambda: None)

    assert (removal.outcome, removal.detail) == ("skipped", "It ran since it was looked at.")
    assert len(client.containers.list(all=True)) == 1


@pytest.mark.req("X1")
def test_a_volume_that_is_mounted_in_the_same_moment_stays(client: docker.DockerClient, engine: PrivateEngine) -> None:
    an_image(client, "x", tag="app:1")
    client.volumes.create("data")
    expected = volume(client, "data")

    removal = removed(
        engine,
        lambda door: door.remove_volume(expected),
        meanwhile=lambda: a_container(client, "app:1", "holds", volumes={"data": {"bind": "/data", "mode": "rw"}}),
    )

    assert removal.outcome == "skipped"
    assert [found.name for found in client.volumes.list()] == ["data"]


def test_a_volume_that_a_service_scaled_to_zero_wants_stays(client: docker.DockerClient, engine: PrivateEngine) -> None:
    with a_swarm(client):
        client.volumes.create("data")
        expected = volume(client, "data")
        none = {"Replicated": {"Replicas": 0}}
        client.services.create("nowhere/to-be-found:1", name="db", mounts=["data:/data:rw"], mode=none)

        removal = removed(engine, lambda door: door.remove_volume(expected), meanwhile=lambda: None)
    assert (removal.outcome, removal.detail) == ("skipped", "Service db uses it.")
    assert [found.name for found in client.volumes.list()] == ["data"]


@pytest.mark.req("X1")
@pytest.mark.parametrize("below", ["", "/deeper", "/.."])
def test_a_volume_whose_folder_a_container_mounts_stays(
    client: docker.DockerClient, engine: PrivateEngine, below: str
) -> None:
    an_image(client, "x", tag="app:1")
    folder = Path(client.volumes.create("data").attrs["Mountpoint"])
    (folder / "deeper").mkdir()
    bound = str((folder / below.lstrip("/")).resolve())
    a_container(client, "app:1", "by-path", volumes={bound: {"bind": "/data", "mode": "rw"}})
    expected = volume(client, "data")

    removal = removed(engine, lambda door: door.remove_volume(expected), meanwhile=lambda: None)

    assert (removal.outcome, removal.detail) == ("skipped", "1 containers refer to it now.")
    assert [found.name for found in client.volumes.list()] == ["data"]


@pytest.mark.req("X1")
def test_a_volume_stays_while_a_service_names_one_by_a_template(
    client: docker.DockerClient, engine: PrivateEngine
) -> None:
    with a_swarm(client):
        client.volumes.create("db-1")
        expected = volume(client, "db-1")
        mount = Mount("/data", "{{.Service.Name}}-{{.Task.Slot}}", type="volume")
        client.services.create("nowhere/x:1", name="db", mounts=[mount], mode={"Replicated": {"Replicas": 0}})

        removal = removed(engine, lambda door: door.remove_volume(expected), meanwhile=lambda: None)
    assert (removal.outcome, "Service db names what it mounts by a template" in removal.detail) == ("skipped", True)
    assert [found.name for found in client.volumes.list()] == ["db-1"]
