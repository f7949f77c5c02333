"""What a proof is made with: two images in a registry that share a base, and something to build."""

from datetime import UTC, datetime
from pathlib import Path

import docker

from hygiene.proof.build import TAG, BuildAsked, build
from launchplane.sandbox.archive import Image, archive, filler, layer, shell
from tests.registry import Registry

LAYERS = 3
DOCKERFILE = """FROM {base}
COPY busybox /opt/busybox
RUN ["/opt/busybox", "dd", "if=/dev/urandom", "of=/compiled-{name}", "bs=1M", "count=3"]
"""


def an_image_in(registry: Registry, client: docker.DockerClient, name: str, *, version: str = "1") -> str:
    """Its full name. Its two lower layers are the same for every name; the engine does not have it afterwards."""
    full = f"{registry.address}/proof/{name}:1"
    layers = (shell(), layer(filler("runtime", 3)), layer(filler(f"{name}-{version}", 2)))
    client.images.load(archive(Image(full, layers, datetime.now(UTC), ("sh", "-c", "sleep 600"))))
    registry.push(client, full)
    client.images.remove(full)
    return full


def something_to_build(folder: Path, base: str, name: str = "app") -> BuildAsked:
    """A build of two steps on `base`, in a new folder."""
    context = folder / name
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE.format(base=base, name=name))
    busybox = context / "busybox"
    busybox.write_bytes(Path("/bin/busybox").read_bytes())
    busybox.chmod(0o755)
    return BuildAsked(context, network="none")


def a_superseded_build(url: str, client: docker.DockerClient, asked: BuildAsked) -> None:
    """Built once, and nobody has the image any more: its cache is what a clean-up is for."""
    build(url, asked)
    client.images.remove(TAG)
