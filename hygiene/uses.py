"""From the engine's events to what was used when. Pure.

A container that ran for seconds between two passes is seen here and nowhere else.
"""

from collections.abc import Iterator
from datetime import datetime

from hygiene.classify import Key
from hygiene.contracts import Event, Inventory, Kind

# No exec: what takes one runs, and is in use anyway; and our own reads inside builders are execs.
CONTAINER_USES = {"create", "start", "restart", "unpause", "die", "stop", "kill", "commit"}
IMAGE_USES = {"pull", "load", "import", "push", "save"}
VOLUME_USES = {"mount", "unmount"}


def last_uses(inventory: Inventory, events: tuple[Event, ...]) -> dict[Key, datetime]:
    """The time of the last event that used each resource."""
    image_ids = {tag: image.id for image in inventory.images for tag in (*image.tags, *image.digests, image.id)}
    uses: dict[Key, datetime] = {}
    for event in events:
        for key in _used_by(event, image_ids):
            uses[key] = max(event.at, uses.get(key, event.at))
    return uses


def _used_by(event: Event, image_ids: dict[str, str]) -> Iterator[Key]:
    if event.kind == "container" and event.action in CONTAINER_USES:
        yield Kind.CONTAINER, event.subject
        if event.image and (image := _image(event.image, image_ids)):
            yield Kind.IMAGE, image
    elif event.kind == "image" and event.action in IMAGE_USES and (image := _image(event.subject, image_ids)):
        yield Kind.IMAGE, image
    elif event.kind == "volume" and event.action in VOLUME_USES:
        yield Kind.VOLUME, event.subject


def _image(ref: str, image_ids: dict[str, str]) -> str | None:
    """The image that a reference means now: an id, a tag, or a name whose tag is `latest`."""
    return image_ids.get(ref) or image_ids.get(f"{ref}:latest") or image_ids.get(f"sha256:{ref}")
