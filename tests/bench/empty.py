"""An inventory with nothing in it, to put things into."""

from hygiene.contracts import DockerSummary, EngineFacts, Inventory

EMPTY = Inventory(
    engine=EngineFacts(
        engine_id="EMPTY",
        version="20.10.24",
        api_version="1.41",
        docker_root="/var/lib/docker",
        storage_driver="overlay2",
        swarm="inactive",
        registry_server="",
    ),
    images=(),
    containers=(),
    volumes=(),
    build_cache=(),
    builders=(),
    services=(),
    summary=DockerSummary(images=None, containers=None, volumes=None, build_cache=None),
    layers_bytes=0,
    unmeasured={},
)
