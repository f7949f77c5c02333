"""The five removals on a real engine: what is as it was approved goes, all else stays with a typed outcome."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import docker
import pytest

from launchplane.hosts import boundary
from launchplane.hosts.local_engine import LocalEngine
from launchplane.hosts.local_removals import LocalRemover
from launchplane.problems import Refused
from launchplane.sandbox.dockerd import PrivateEngine
from onhost.engine import removals
from onhost.engine.removals import ExpectedContainer, ExpectedImage, ExpectedVolume, PruneBounds
from tests.engine_things import (
    a_builder,
    a_container,
    a_running_container,
    a_volume_anew,
    an_image,
    build,
    cache_bytes,
    image_ids,
    prunes_inside,
)
from tests.engines import an_engine, emptied

pytestmark = pytest.mark.engine

EVERYTHING = (
    removals.REMOVE_IMAGE,
    removals.REMOVE_CONTAINER,
    removals.REMOVE_VOLUME,
    removals.PRUNE_BUILD_CACHE,
    removals.PRUNE_BUILDER,
)


@pytest.fixture(scope="module")
def engine() -> Iterator[PrivateEngine]:
    with an_engine() as engine:
        yield engine


@pytest.fixture
def client(engine: PrivateEngine) -> Iterator[docker.DockerClient]:
    with emptied(engine, timeout_seconds=60) as client:
        yield client


@pytest.fixture
def door(engine: PrivateEngine) -> LocalRemover:
    identity = LocalEngine(engine.url).identify()
    return LocalRemover(engine.url, api_version=identity.api_version, engine_id=identity.engine_id)


def allowed(**calls: int) -> AbstractContextManager[boundary.Allowance]:
    """A running change that declared these calls, or each of them once."""
    left = calls or dict.fromkeys(EVERYTHING, 1)
    return boundary.within(boundary.Allowance(left, lambda: True))


def image(client: docker.DockerClient, image_id: str, *tags: str) -> ExpectedImage:
    attrs = client.images.get(image_id).attrs
    return ExpectedImage(image_id, tags, attrs["Size"], tuple(attrs["RepoDigests"]))


def container(found: object) -> ExpectedContainer:
    attrs = found.attrs  # type: ignore[attr-defined]
    return ExpectedContainer(attrs["Id"], attrs["Name"].lstrip("/"), attrs["Image"], seen_at=datetime.now(UTC))


def volume(client: docker.DockerClient, name: str) -> ExpectedVolume:
    attrs = client.volumes.get(name).attrs
    return ExpectedVolume(name, attrs["Driver"], datetime.fromisoformat(attrs["CreatedAt"]))


def test_a_dangling_image_goes(client: docker.DockerClient, door: LocalRemover) -> None:
    image_id = an_image(client, "x")

    with allowed():
        removal = door.remove_image(image(client, image_id))

    assert removal.outcome == "done"
    assert image_id in removal.deleted
    assert len(removal.deleted) == 2
    assert image_ids(client) == set()


def test_an_image_goes_with_all_its_tags(client: docker.DockerClient, door: LocalRemover) -> None:
    image_id = an_image(client, "x", tag="app:1")
    client.images.get(image_id).tag("app", "2")
    client.images.get(image_id).tag("other/app", "1")

    with allowed():
        removal = door.remove_image(image(client, image_id, "app:1", "app:2", "other/app:1"))

    assert removal.outcome == "done"
    assert image_ids(client) == set()


@pytest.mark.req("X1")
def test_an_image_that_was_tagged_since_stays(client: docker.DockerClient, door: LocalRemover) -> None:
    image_id = an_image(client, "x")
    expected = image(client, image_id)
    client.images.get(image_id).tag("app", "precious")

    with allowed():
        removal = door.remove_image(expected)

    assert (removal.outcome, removal.detail) == ("skipped", "It was tagged since: app:precious now.")
    assert image_ids(client) == {image_id}


def test_an_image_with_another_size_stays(client: docker.DockerClient, door: LocalRemover) -> None:
    image_id = an_image(client, "x")

    with allowed():
        removal = door.remove_image(ExpectedImage(image_id, (), 1))

    assert removal.outcome == "skipped"


def test_an_image_of_a_stopped_container_stays_with_all_its_tags(
    client: docker.DockerClient, door: LocalRemover
) -> None:
    image_id = an_image(client, "x", tag="app:1")
    client.images.get(image_id).tag("app", "2")
    expected = image(client, image_id, "app:1", "app:2")
    a_container(client, "app:1", "left-over")

    with allowed():
        removal = door.remove_image(expected)

    assert (removal.outcome, removal.detail) == ("skipped", "1 containers use it now.")
    assert sorted(client.images.get(image_id).tags) == ["app:1", "app:2"]


@pytest.mark.req("D9")
def test_an_image_that_is_gone_is_gone(client: docker.DockerClient, door: LocalRemover) -> None:
    with allowed():
        removal = door.remove_image(ExpectedImage(f"sha256:{'0' * 64}", (), 1))

    assert removal.outcome == "gone"


def test_an_image_below_another_keeps_its_layers(client: docker.DockerClient, door: LocalRemover) -> None:
    parent = an_image(client, "x", tag="base:1")
    created = a_container(client, "base:1", "to-commit")
    child = created.commit().id
    created.remove()

    with allowed():
        removal = door.remove_image(image(client, child))

    assert removal.outcome == "done"
    assert image_ids(client) == {parent}


def test_an_image_that_others_were_made_from_is_not_taken_by_force(
    client: docker.DockerClient, door: LocalRemover
) -> None:
    parent = an_image(client, "x", tag="base:1")
    created = a_container(client, "base:1", "to-commit")
    created.commit("child", "1")
    created.remove()
    client.images.remove("base:1", noprune=True)

    assert parent in image_ids(client)
    with allowed():
        removal = door.remove_image(image(client, parent))

    assert removal.outcome == "skipped"
    assert parent in image_ids(client)


def test_a_stopped_container_goes_and_its_volumes_stay(client: docker.DockerClient, door: LocalRemover) -> None:
    an_image(client, "x", tag="app:1")
    created = a_container(client, "app:1", "left-over", volumes={"data": {"bind": "/data", "mode": "rw"}})

    with allowed():
        removal = door.remove_container(container(created))

    assert removal.outcome == "done"
    assert client.containers.list(all=True) == []
    assert [found.name for found in client.volumes.list()] == ["data"]


def test_a_container_that_runs_stays(client: docker.DockerClient, door: LocalRemover) -> None:
    running = a_running_container(client, "works")
    running.reload()

    with allowed():
        removal = door.remove_container(container(running))

    assert (removal.outcome, removal.detail) == ("skipped", "The container is running now.")
    assert len(client.containers.list()) == 1


def test_a_container_that_was_renamed_stays(client: docker.DockerClient, door: LocalRemover) -> None:
    an_image(client, "x", tag="app:1")
    created = a_container(client, "app:1", "left-over")
    expected = container(created)
    created.rename("precious")

    with allowed():
        assert door.remove_container(expected).outcome == "skipped"


def test_a_volume_goes(client: docker.DockerClient, door: LocalRemover) -> None:
    client.volumes.create("orphaned")

    with allowed():
        removal = door.remove_volume(volume(client, "orphaned"))

    assert removal.outcome == "done"
    assert client.volumes.list() == []


def test_a_volume_that_a_container_refers_to_stays(client: docker.DockerClient, door: LocalRemover) -> None:
    client.volumes.create("data")
    an_image(client, "x", tag="app:1")
    a_container(client, "app:1", "holds", volumes={"data": {"bind": "/data", "mode": "rw"}})

    with allowed():
        removal = door.remove_volume(volume(client, "data"))

    assert (removal.outcome, removal.detail) == ("skipped", "1 containers refer to it now.")
    assert len(client.volumes.list()) == 1


def test_a_volume_that_was_made_anew_stays(client: docker.DockerClient, door: LocalRemover) -> None:
    client.volumes.create("data")
    expected = volume(client, "data")
    a_volume_anew(client, "data")

    with allowed():
        removal = door.remove_volume(expected)

    assert (removal.outcome, removal.detail) == ("skipped", "A volume of this name was made anew since.")


def test_the_build_cache_is_pruned_to_what_must_stay(client: docker.DockerClient, door: LocalRemover) -> None:
    for number in range(3):
        build(client, f"n{number}")
    had = cache_bytes(client)

    with allowed():
        removal = door.prune_build_cache(PruneBounds(min_age_seconds=0, keep_bytes=0, max_bytes=6_000_000))

    assert removal.outcome == "done"
    assert removal.freed_bytes == had - cache_bytes(client) > 0
    assert 0 < cache_bytes(client) <= 6_000_000


def test_build_cache_that_is_younger_than_the_bound_stays(client: docker.DockerClient, door: LocalRemover) -> None:
    build(client)
    had = cache_bytes(client)

    with allowed():
        door.prune_build_cache(PruneBounds(min_age_seconds=3600, keep_bytes=0, max_bytes=0))

    assert cache_bytes(client) == had


@pytest.mark.req("X1")
def test_another_engine_than_the_pinned_one_is_left_alone(client: docker.DockerClient, engine: PrivateEngine) -> None:
    image_id = an_image(client, "x")
    door = LocalRemover(engine.url, api_version="1.41", engine_id="SOMEBODY:ELSE")

    with allowed(), pytest.raises(Exception, match="Another engine answers"):
        door.remove_image(image(client, image_id))

    assert image_ids(client) == {image_id}


@pytest.mark.req("H24")
def test_outside_of_a_running_change_nothing_is_removed(client: docker.DockerClient, door: LocalRemover) -> None:
    image_id = an_image(client, "x")

    with pytest.raises(Refused, match="no change is being applied"):
        door.remove_image(image(client, image_id))

    assert image_ids(client) == {image_id}


@pytest.mark.req("H24")
def test_a_call_that_was_not_declared_is_refused(client: docker.DockerClient, door: LocalRemover) -> None:
    client.volumes.create("data")

    with allowed(remove_image=5), pytest.raises(Refused, match="did not declare remove_volume"):
        door.remove_volume(volume(client, "data"))

    assert len(client.volumes.list()) == 1


@pytest.mark.req("H24")
def test_a_call_is_made_as_often_as_it_was_declared_and_no_more(
    client: docker.DockerClient, door: LocalRemover
) -> None:
    first, second = an_image(client, "one"), an_image(client, "two")

    with allowed(remove_image=1):
        door.remove_image(image(client, first))
        with pytest.raises(Refused, match="as often as it declared"):
            door.remove_image(image(client, second))

    assert image_ids(client) == {second}


@pytest.mark.parametrize("name", ["", "../images", "a/b", "sha256:xyz", "x?force=1", f"sha256:{'0' * 64}\n"])
def test_what_is_no_id_or_name_is_never_sent(door: LocalRemover, name: str) -> None:
    with allowed(), pytest.raises(Exception, match="no name that the engine can be asked to remove"):
        door.remove_image(ExpectedImage(name, (), 1))


def test_a_builder_is_pruned_inside_its_container_within_its_bounds(
    client: docker.DockerClient, door: LocalRemover
) -> None:
    builder = a_builder(client, "ci0")

    with allowed():
        removal = door.prune_builder(builder.id, PruneBounds(min_age_seconds=60, keep_bytes=10**9, max_bytes=2 * 10**9))

    assert removal.outcome == "done"
    assert removal.freed_bytes is not None
    assert prunes_inside(builder) == [
        "prune --keep-duration 60s --keep-storage-min 1000 --keep-storage 2000 --format {{json .}}"
    ]
