"""Things on an engine, made in a moment from nothing, and what is left of them."""

import io
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
from docker.types import Mount

from launchplane import sandbox
from tests.registry import free_port

LABEL = "ci.managed=true"


def archive(text: str, *, size: int = 2000) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        content = (text * size).encode()[:size]
        entry = tarfile.TarInfo("content")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return held.getvalue()


def an_image(client: docker.DockerClient, text: str, *, tag: str = "", labelled: bool = False, size: int = 2000) -> str:
    """The id of a new image with a layer of its own; dangling unless `tag` names it."""
    repository, _, version = tag.partition(":")
    answer = client.api.import_image_from_data(
        archive(text, size=size),
        repository=repository or None,
        tag=version or None,
        changes=[f"LABEL {LABEL}"] if labelled else None,
    )
    return str(answer).split('"status":"')[1].split('"')[0]


def many_images(url: str, count: int, *, labelled: bool = False) -> list[str]:
    """So many dangling images, each with a layer of its own; several at a time."""
    kind = "labelled" if labelled else "other"

    def make(numbers: range) -> list[str]:
        client = docker.DockerClient(base_url=url, version="1.41", timeout=120)
        try:
            return [an_image(client, f"{kind} {number}", labelled=labelled) for number in numbers]
        finally:
            client.close()

    with ThreadPoolExecutor(4) as pool:
        return [image for made in pool.map(make, (range(start, count, 4) for start in range(4))) for image in made]


def a_container(client: docker.DockerClient, image: str, name: str, **options: Any) -> Any:
    """A container that was created and never ran."""
    return client.containers.create(image, ["/none"], name=name, network_mode="none", **options)


def a_volume_anew(client: docker.DockerClient, name: str) -> None:
    """Another volume of the name, as its time of creation tells (the engine tells it to the second)."""
    before = client.volumes.get(name).attrs["CreatedAt"]
    while client.volumes.get(name).attrs["CreatedAt"] == before:
        client.volumes.get(name).remove()
        client.volumes.create(name)


def empty(client: docker.DockerClient) -> None:
    """Nothing is left on the engine."""
    empty_containers(client)
    for volume in client.volumes.list():
        volume.remove(force=True)
    empty_images(client)
    client.api.prune_builds()


def empty_containers(client: docker.DockerClient) -> None:
    """Some are on their way out by themselves: tasks of a swarm that was left."""
    while found := client.api.containers(all=True):
        for container in found:
            try:
                client.api.remove_container(container["Id"], force=True, v=True)
            except docker.errors.APIError as error:
                if error.status_code not in (404, 409):
                    raise


def empty_images(client: docker.DockerClient) -> None:
    """Children first: an image with children is in conflict until they are gone."""
    while ids := image_ids(client):
        for image in ids:
            try:
                client.images.remove(image, force=True)
            except docker.errors.APIError as error:
                if error.status_code not in (404, 409):
                    raise


def image_ids(client: docker.DockerClient) -> set[str]:
    return {image.id for image in client.images.list(all=True)}


def a_running_container(client: docker.DockerClient, name: str) -> Any:
    """One that runs until it is killed, from an image with nothing but busybox."""
    container = a_quick_container(client, name, seconds=600)
    container.start()
    return container


def a_quick_container(client: docker.DockerClient, name: str, *, seconds: int) -> Any:
    """One that was not started yet, and runs for so long each time it is."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        tar.add("/bin/busybox", "bin/busybox")
    client.api.import_image_from_data(held.getvalue(), repository="busy", tag="1")
    command = ["/bin/busybox", "sleep", str(seconds)]
    return client.containers.create("busy:1", command, name=name, network_mode="none")


@contextmanager
def a_swarm(client: docker.DockerClient) -> Iterator[None]:
    """The engine is a swarm of its own, at a port of its own: another engine of this machine may be one too."""
    address = f"127.0.0.1:{free_port()}"
    client.swarm.init(advertise_addr=address, listen_addr=address)
    try:
        yield
    finally:
        client.swarm.leave(force=True)


DOCKERFILE = """FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "dd", "if=/dev/urandom", "of=/compiled-%s", "bs=1M", "count=3"]
"""


def build(client: docker.DockerClient, name: str = "built") -> None:
    """A real BuildKit build that leaves cache, and no image."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        text = (DOCKERFILE % name).encode()
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
        tar.add("/bin/busybox", "busybox")
    api = client.api
    response = api._post(
        api._url("/build"),
        params={"version": "2", "networkmode": "none"},
        data=held.getvalue(),
        headers={"Content-Type": "application/x-tar"},
    )
    api._raise_for_status(response)
    empty_images(client)


def cache_bytes(client: docker.DockerClient) -> int:
    return sum(record["Size"] for record in client.df()["BuildCache"] or [])


RECORDED = Path(__file__).parent / "hosts" / "recorded"
SANDBOX = Path(sandbox.__file__).parent / "buildctl"


def a_builder(client: docker.DockerClient, node: str, *, idle: bool = True, knows: str = "") -> Any:
    """A running container shaped like a builder's, with a `buildctl` that says what a real one said, and notes prunes.

    Not `idle`: one of the builds that it tells of has no end. `knows` is another help for `buildctl prune`.
    """
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        tar.add("/bin/busybox", "bin/busybox")
        for name in ("sh", "cat", "sleep"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        programs = {"buildctl": RECORDED / "buildctl-prune.sh", "buildctl.recorded": SANDBOX / "buildctl.sh"}
        for name, path in programs.items():
            tar.add(path, f"usr/bin/{name}", filter=_executable)
        tar.add(RECORDED / "du-idle.json", "recorded/du.json")
        tar.add(RECORDED / ("histories-idle.jsonl" if idle else "histories.jsonl"), "recorded/histories.jsonl")
        for name in ("workers.json", "prune.json"):
            tar.add(RECORDED / name, f"recorded/{name}")
        help_text = tarfile.TarInfo("recorded/prune-help.txt")
        printed = (knows or (RECORDED / "prune-help.txt").read_text()).encode()
        help_text.size = len(printed)
        tar.addfile(help_text, io.BytesIO(printed))
    tag = f"buildx-{node}" if knows else "buildx-stable-1"
    client.api.import_image_from_data(held.getvalue(), repository="moby/buildkit", tag=tag)
    name = f"buildx_buildkit_{node}"
    mounts = [Mount("/var/lib/buildkit", f"{name}_state")]
    container = client.containers.create(
        f"moby/buildkit:{tag}", ["/bin/sleep", "600"], name=name, mounts=mounts, network_mode="none"
    )
    container.start()
    return container


def begin_a_build(builder: Any) -> None:
    """From now on the builder tells of a build that has no end."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        tar.add(RECORDED / "histories.jsonl", "histories.jsonl")
    builder.put_archive("/recorded", held.getvalue())


def prunes_inside(builder: Any) -> list[str]:
    """How the builder's `buildctl` was called to prune, each in a line."""
    said = builder.exec_run(["cat", "/pruned"])
    return [] if said.exit_code else said.output.decode().splitlines()


def _executable(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode = 0o755
    return entry
