"""How buildx names what its `docker-container` builders are made of. It labels nothing, so names and mounts tell.

A node's container is `buildx_buildkit_<node>`, its state volume `<container>_state`, mounted at /var/lib/buildkit.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

PREFIX: Final = "buildx_buildkit_"
SUFFIX: Final = "_state"
STATE_FOLDER: Final = "/var/lib/buildkit"


def container_name(names: object) -> str:
    """Of the `Names` an engine lists, the container's own as Docker's client shows it: without a second slash.

    `/web/db` is what a link from the container `web` calls it. Empty if there is no name.
    """
    listed = [name.removeprefix("/") for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return next((name for name in listed if "/" not in name), listed[0] if listed else "")


def is_builder(name: str, mounted_at: Collection[str]) -> bool:
    """True for a container that has a builder's name and a mount where BuildKit keeps its state."""
    return name.startswith(PREFIX) and STATE_FOLDER in mounted_at
