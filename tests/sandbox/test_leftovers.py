"""The sandbox's leftovers: everything the report is about is there, once."""

from collections.abc import Iterator
from typing import Any

import docker
import pytest

from launchplane.sandbox.dockerd import PrivateEngine
from launchplane.sandbox.leftovers import BUILDKIT, MANAGED, ORPHAN_STATE, WARM_BUILDER, plant
from tests.engines import an_engine

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def engine() -> Iterator[PrivateEngine]:
    """One for this file alone: other tests change what is in the session's."""
    with an_engine() as engine:
        plant(engine.url)
        yield engine


@pytest.fixture
def client(engine: PrivateEngine) -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=engine.url)
    yield client
    client.close()


def ids(client: docker.DockerClient) -> dict[str, Any]:
    return {
        "images": sorted(image.id for image in client.images.list(all=True)),
        "containers": sorted(container.id for container in client.containers.list(all=True)),
        "volumes": sorted(volume.id for volume in client.volumes.list()),
        "cache": sorted(record["ID"] for record in client.df()["BuildCache"]),
    }


def test_planting_twice_makes_nothing_new(client: docker.DockerClient, engine: PrivateEngine) -> None:
    before = ids(client)
    assert plant(engine.url) is False
    assert ids(client) == before


def test_a_container_that_is_meant_to_run_is_started_again(client: docker.DockerClient, engine: PrivateEngine) -> None:
    client.containers.get("shop-web-1").stop(timeout=5)
    plant(engine.url)
    assert client.containers.get("shop-web-1").status == "running"


def test_there_are_dangling_images_with_and_without_the_managed_label(client: docker.DockerClient) -> None:
    dangling = client.images.list(filters={"dangling": True})
    managed = [image for image in dangling if MANAGED.items() <= (image.labels or {}).items()]
    assert (len(dangling), len(managed)) == (3, 2)


def test_tagged_images_share_layers(client: docker.DockerClient) -> None:
    old, new = (client.images.get(f"shop/web:{version}").attrs["RootFS"]["Layers"] for version in ("1.4", "1.5"))
    assert old[:2] == new[:2]
    assert old[2] != new[2]


def test_there_are_running_and_stopped_containers(client: docker.DockerClient) -> None:
    states = {container.name: container.status for container in client.containers.list(all=True)}
    assert states == {
        "shop-web-1": "running",
        WARM_BUILDER: "running",
        "shop-migrate": "exited",
        "ci-tenant-failed": "exited",
    }


def test_volumes_are_named_and_anonymous_used_and_unused(client: docker.DockerClient) -> None:
    usage = {volume["Name"]: volume["UsageData"] for volume in client.df()["Volumes"]}
    anonymous = [name for name in usage if len(name) == 64]
    assert sorted(usage[name]["RefCount"] for name in anonymous) == [0, 1]
    assert usage["shop_uploads"]["RefCount"] == 1
    assert usage["shop_database_2023"]["RefCount"] == 0
    assert usage["shop_database_2023"]["Size"] > 3_000_000


def test_the_warm_builder_has_container_state_and_image(client: docker.DockerClient) -> None:
    builder = client.containers.get(WARM_BUILDER)
    mounts = [(mount["Name"], mount["Destination"]) for mount in builder.attrs["Mounts"]]
    assert builder.attrs["Config"]["Image"] == BUILDKIT
    assert mounts == [(f"{WARM_BUILDER}_state", "/var/lib/buildkit")]


def test_an_orphan_builder_state_volume_has_no_container(client: docker.DockerClient) -> None:
    assert client.volumes.get(ORPHAN_STATE)
    assert client.containers.list(all=True, filters={"volume": ORPHAN_STATE}) == []


@pytest.mark.parametrize("words", [["du"], ["debug", "workers"], ["debug", "histories"]])
def test_buildctl_in_the_builder_prints_what_was_recorded(client: docker.DockerClient, words: list[str]) -> None:
    done = client.containers.get(WARM_BUILDER).exec_run(["buildctl", *words, "--format", "{{json .}}"])
    assert (done.exit_code, done.output[:1]) in ((0, b"["), (0, b"{"))


def test_some_build_cache_belongs_to_no_image(client: docker.DockerClient) -> None:
    assert sum(record["Size"] for record in client.df()["BuildCache"] if not record["Shared"]) > 4_000_000
