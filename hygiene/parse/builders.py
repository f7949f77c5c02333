"""buildx `docker-container` builders: a node, its container, its state volume, told as `hosts.buildx` says."""

from collections.abc import Mapping, Sequence

from hygiene.contracts import Builder, Container, Volume
from hygiene.parse.buildkit import Worker
from onhost.engine import buildx
from onhost.engine.buildx import PREFIX, STATE_FOLDER, SUFFIX


def is_builder(container: Container) -> bool:
    """True if `container` has a builder's name and holds BuildKit's state."""
    return buildx.is_builder(container.name, [mount.destination for mount in container.mounts])


def state_volume_of(container: Container) -> str | None:
    """The volume that holds a builder's state, if it is a volume."""
    mounts = [mount for mount in container.mounts if mount.destination == STATE_FOLDER and mount.kind == "volume"]
    return mounts[0].source if mounts else None


def is_state_volume(name: str) -> bool:
    """True for a name that buildx gives to a builder's state volume."""
    return name.startswith(PREFIX) and name.endswith(SUFFIX) and len(name) > len(PREFIX) + len(SUFFIX)


def state_volume_name(node: str) -> str:
    """The name that buildx gives to the state volume of a node."""
    return f"{PREFIX}{node}{SUFFIX}"


def node_of_volume(name: str) -> str:
    """The node whose state a volume of this name is."""
    return name.removeprefix(PREFIX).removesuffix(SUFFIX)


def pair(
    containers: Sequence[Container],
    volumes: Sequence[Volume],
    workers: Mapping[str, Worker],
    cache_bytes: Mapping[str, int | None],
) -> list[Builder]:
    """Every node there is a trace of, sorted by name. `workers` and `cache_bytes` are by container id."""
    found = [_of_container(container, workers, cache_bytes) for container in containers if is_builder(container)]
    # a node that has a container is there: a volume with its name that it does not hold is no second builder
    claimed = {builder.volume for builder in found} | {state_volume_name(builder.name) for builder in found}
    found += [_of_volume(volume) for volume in volumes if is_state_volume(volume.name) and volume.name not in claimed]
    return sorted(found, key=lambda builder: (builder.name, builder.container_id or ""))


def _of_container(
    container: Container, workers: Mapping[str, Worker], cache_bytes: Mapping[str, int | None]
) -> Builder:
    worker = workers.get(container.id)
    return Builder(
        name=container.name.removeprefix(PREFIX),
        state="running" if container.alive else "stopped",
        container_id=container.id,
        container_name=container.name,
        container_state=container.state,
        image_id=container.image_id or None,
        image_ref=container.image_ref or None,
        volume=state_volume_of(container),
        buildkit_version=worker.version if worker else None,
        cache_bytes=cache_bytes.get(container.id),
        gc_policy=worker.gc_policy if worker else None,
    )


def _of_volume(volume: Volume) -> Builder:
    return Builder(
        name=node_of_volume(volume.name),
        state="orphan",
        container_id=None,
        container_name=None,
        container_state=None,
        image_id=None,
        image_ref=None,
        volume=volume.name,
        buildkit_version=None,
        cache_bytes=volume.size_bytes,
        gc_policy=None,
    )


def answers_to(node: str, wanted: str) -> bool:
    """True if node `node` belongs to the builder an operator calls `wanted`: the node's name, or it without its number.

    buildx names the nodes of a builder `<builder>0`, `<builder>1` and so on.
    """
    return node == wanted or (node.startswith(wanted) and node[len(wanted) :].isdecimal())


def is_first_node(node: str, wanted: str) -> bool:
    """True if node `node` can only be the builder `wanted`: `ci10` may as well be the first node of a builder `ci1`."""
    return node in (wanted, f"{wanted}0")
