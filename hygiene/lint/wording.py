"""Why each finding is one, and what to do instead. Pure."""

from typing import NamedTuple

from hygiene.lint.contracts import Code


class Words(NamedTuple):
    """`title` names the rule, for lists of rules."""

    title: str
    why: str
    instead: str


OWN_NAMES = "Remove what this run made, by its own name or tag; what is left over and old is up to the host's hygiene."
OWN_CACHE = (
    "Leave it to the host's hygiene, which prunes down to a budget; or make a builder of this repository's own and "
    "name it: docker buildx prune --builder NAME."
)
WORDS: dict[Code, Words] = {
    "system_prune": Words(
        "Prunes everything on the engine",
        "It removes whatever no container uses at this moment, whoever it belongs to: images, stopped containers, "
        "networks and build cache, and with --volumes their data. A label does not keep it from the build cache.",
        OWN_NAMES,
    ),
    "image_prune": Words(
        "Prunes images of everybody",
        "It removes images that other repositories built or pulled and will need again.",
        "Remove the images of this run by name, or narrow it: docker image prune --filter label=NAME=VALUE.",
    ),
    "container_prune": Words(
        "Prunes containers of everybody",
        "It removes every stopped container on the host, also those of other jobs and of whoever looks into a failure.",
        "Remove the containers of this run by name, by docker compose down, or narrow it by a label of its own.",
    ),
    "volume_prune": Words(
        "Prunes volumes of everybody",
        "It removes data that no container uses at this moment, such as databases of other jobs and the state of warm "
        "builders.",
        "Remove the volumes of this run by name, by docker compose down --volumes, or narrow it by a label of its own.",
    ),
    "network_prune": Words(
        "Prunes networks of everybody",
        "It removes networks that other jobs have made and not yet put a container into.",
        "Remove the networks of this run by name, by docker compose down, or narrow it by a label of its own.",
    ),
    "build_cache_prune": Words(
        "Prunes build cache of everybody",
        "It removes the build cache of the engine, or of whichever builder is the current one; every repository's next "
        "build is cold. A filter by label does not narrow build cache.",
        OWN_CACHE,
    ),
    "builders_removed": Words(
        "Removes builders of everybody",
        "It removes builders, with their cache, that it does not name: warm ones of other repositories are among them.",
        "Name the builder that this repository made: docker buildx rm NAME.",
    ),
    "images_listed": Words(
        "Removes whatever images are listed",
        "The list is of all images on the host, not of this repository's.",
        "Name them, or list only your own: docker images --quiet NAME, --filter reference=NAME, "
        "--filter label=NAME=VALUE.",
    ),
    "containers_listed": Words(
        "Ends or removes whatever containers are listed",
        "The list is of all containers on the host: those of other jobs, warm builders and services are among them.",
        "Name them, use docker compose down, or list only your own: docker ps --filter label=NAME=VALUE.",
    ),
    "volumes_listed": Words(
        "Removes whatever volumes are listed",
        "The list is of all volumes on the host; they hold other repositories' data and warm builders' state.",
        "Name them, use docker compose down --volumes, or list only your own by --filter label=NAME=VALUE.",
    ),
    "networks_listed": Words(
        "Removes whatever networks are listed",
        "The list is of all networks on the host.",
        "Name them, or use docker compose down.",
    ),
    "storage_removed": Words(
        "Removes the engine's own folder",
        "It takes the storage from under a running engine: everything that any repository has there, and the engine "
        "does not know.",
        OWN_NAMES,
    ),
    "auto_prune": Words(
        "Prunes on a schedule of its own",
        "It is a second owner of the clean-up: it deletes on its schedule what hygiene keeps on purpose.",
        "Set autoPrune.enable = false on shared hosts and let the host's hygiene do it.",
    ),
    "action_removes_images": Words(
        "An action removes all images",
        "To free the disk it removes every image of the engine, which on a shared host are other repositories' too.",
        "Tell it to leave them (docker-images: false), or run it on throwaway machines only (--throwaway LABEL).",
    ),
    "prune_module": Words(
        "A module prunes the engine",
        "It removes whatever no container uses at this moment, whoever it belongs to.",
        OWN_NAMES,
    ),
    "cleaner": Words(
        "Runs a cleaner over the engine",
        "It is a second owner of the clean-up: it deletes by its own rules what hygiene keeps on purpose.",
        "Leave the clean-up of a shared host to its hygiene.",
    ),
    "image_removed_in_teardown": Words(
        "A teardown removes an image",
        "This path was said to remove no image at all: the next run, or another repository, would have to pull or "
        "build it again.",
        "Remove containers, networks and volumes there, and leave images to the host's hygiene.",
    ),
}
