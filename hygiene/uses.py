"""From the engine's events to what was used when. Pure.

A container that ran for seconds between two passes is seen here and nowhere else.
"""

from collections.abc import Iterator
from datetime import datetime

from hygiene.contracts import Event, Inventory, Key, Kind
from hygiene.names import ImageNames

# No exec: what takes one runs, and is in use anyway; and our own reads inside builders are execs.
CONTAINER_USES = {"create", "start", "restart", "unpause", "die", "stop", "kill", "commit"}
IMAGE_USES = {"pull", "load", "import", "push", "save"}
VOLUME_USES = {"mount", "unmount"}


def last_uses(inventory: Inventory, events: tuple[Event, ...]) -> dict[Key, datetime]:
    """The time of the last event that used each resource."""
    images = ImageNames(inventory.images)
    uses: dict[Key, datetime] = {}
    for event in events:
        for key in _used_by(event, images):
            uses[key] = max(event.at, uses.get(key, event.at))
    return uses


def _used_by(event: Event, images: ImageNames) -> Iterator[Key]:
    if event.kind == "container" and event.action in CONTAINER_USES:
        yield Kind.CONTAINER, event.subject
        if event.image and (image := images.find(event.image)):
            yield Kind.IMAGE, image
    elif event.kind == "image" and event.action in IMAGE_USES and (image := images.find(event.subject)):
        yield Kind.IMAGE, image
    elif event.kind == "volume" and event.action in VOLUME_USES:
        yield Kind.VOLUME, event.subject
