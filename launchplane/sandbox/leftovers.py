"""What a busy CI host leaves behind, planted into an engine: once, from busybox alone, with no network.

A second call plants nothing and only starts again what is meant to run.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import Mount

from launchplane.sandbox.archive import File, Image, archive, filler, layer, pack, shell

MARKER = "launchplane-sandbox"
MANAGED = {"launchplane.managed": "true"}
WARM_BUILDER = "buildx_buildkit_ci0"
ORPHAN_STATE = "buildx_buildkit_old-ci0_state"
BUILDKIT = "moby/buildkit:buildx-stable-1"
RECORDED = Path(__file__).parent / "buildctl"

SERVE = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done")
WRITE_AND_END = "dd if=/dev/urandom of=/scratch bs=1M count=2"
DOCKERFILE = b"""FROM scratch AS build
COPY busybox /bin/busybox
RUN ["/bin/busybox", "dd", "if=/dev/urandom", "of=/compiled", "bs=1M", "count=4"]
FROM scratch
COPY --from=build /bin/busybox /bin/busybox
LABEL org.opencontainers.image.title="built on this engine"
"""


def plant(url: str) -> bool:
    """Have the leftovers in the engine at `url`. True if they were planted now, False if they were there."""
    client = DockerClient(base_url=url, version="1.41", timeout=60)
    try:
        planted = not _is_planted(client)
        if planted:
            _plant(client)
        for name in ("shop-web-1", WARM_BUILDER):
            _start_if_there(client, name)
        return planted
    finally:
        client.close()


def _is_planted(client: DockerClient) -> bool:
    return any(volume.name == MARKER for volume in client.volumes.list(filters={"name": MARKER}))


def _plant(client: DockerClient) -> None:
    for image in _images(datetime.now(UTC)):
        client.images.load(archive(image))
    _plant_build_cache(client)
    _plant_volumes(client)
    _plant_containers(client)
    client.volumes.create(MARKER, labels={"launchplane.sandbox": "planted"})


def _images(now: datetime) -> list[Image]:
    """In this order: an image loaded under a tag that exists leaves the older one dangling."""
    base, runtime = shell(), layer(filler("runtime", 5))

    def image(tag: str, version: str, *, days: int, labels: Mapping[str, str] = MappingProxyType({})) -> Image:
        layers = (base, runtime, layer(filler(f"{tag.replace('/', '-')}-{version}", 2)))
        return Image(tag, layers, now - timedelta(days=days), SERVE, labels)

    return [
        image("shop/web:1.4", "1.4", days=41),
        image("shop/web:1.5", "1.5", days=6),
        image("shop/worker:1.5", "1.5", days=6),
        image("shop/api:latest", "first", days=19),
        image("shop/api:latest", "second", days=2),
        *(image("ci/tenant:test", f"run-{run}", days=9 - run, labels=MANAGED) for run in range(1, 4)),
        _buildkit(base, now - timedelta(days=30)),
    ]


def _buildkit(base: bytes, created: datetime) -> Image:
    """A builder's image: a daemon that only waits, and a client that prints what a real one printed."""
    programs = layer(
        File("usr/bin/buildkitd", (RECORDED / "buildkitd.sh").read_bytes()),
        File("usr/bin/buildctl", (RECORDED / "buildctl.sh").read_bytes()),
        *(File(f"recorded/{path.name}", path.read_bytes()) for path in sorted(RECORDED.glob("*.json*"))),
    )
    return Image(BUILDKIT, (base, programs), created, ("buildkitd",))


def _plant_build_cache(client: DockerClient) -> None:
    """A real BuildKit build. Its context goes in the request, so no client program and no session is needed."""
    context = pack([File("Dockerfile", DOCKERFILE), File("busybox", Path("/bin/busybox").read_bytes())])
    api = client.api
    response = api._post(
        api._url("/build"),
        params={"version": "2", "networkmode": "none", "t": "shop/docs:latest"},
        data=context,
        headers={"Content-Type": "application/x-tar"},
    )
    api._raise_for_status(response)


def _plant_volumes(client: DockerClient) -> None:
    """Named and anonymous ones, filled by a container that is gone afterwards."""
    names = ["shop_uploads", "shop_database_2023", ORPHAN_STATE, client.volumes.create().name]
    for name in names:
        client.volumes.create(name)
    command = ";".join(f"dd if=/dev/urandom of=/mnt/{number}/content bs=1M count=3" for number in range(len(names)))
    volumes = {name: {"bind": f"/mnt/{number}", "mode": "rw"} for number, name in enumerate(names)}
    client.containers.run("shop/web:1.5", ["sh", "-c", command], volumes=volumes, network_mode="none", remove=True)


def _plant_containers(client: DockerClient) -> None:
    _create(client, "shop-web-1", "shop/web:1.5", mounts=[Mount("/uploads", "shop_uploads"), Mount("/cache", None)])
    _create(client, WARM_BUILDER, BUILDKIT, mounts=[Mount("/var/lib/buildkit", f"{WARM_BUILDER}_state")])
    for name, image in (("shop-migrate", "shop/worker:1.5"), ("ci-tenant-failed", "ci/tenant:test")):
        container = _create(client, name, image, command=("sh", "-c", WRITE_AND_END))
        container.start()
        container.wait(timeout=20)


def _create(
    client: DockerClient, name: str, image: str, *, command: Sequence[str] = (), mounts: Sequence[Mount] = ()
) -> Container:
    """The container `name`, made unless an interrupted planting made it already."""
    try:
        return client.containers.get(name)
    except NotFound:
        return client.containers.create(image, list(command), name=name, mounts=list(mounts), network_mode="none")


def _start_if_there(client: DockerClient, name: str) -> None:
    """Start a container that runs until its engine stops; somebody may have removed it since it was planted."""
    if container := next(iter(client.containers.list(all=True, filters={"name": f"^/{name}$"})), None):
        container.start()
