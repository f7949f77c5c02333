"""How people and services call an image, and which image they mean. Pure."""

import re
from collections.abc import Iterable

from hygiene.contracts import Image
from onhost.engine.image_names import local_names

SHORT_ID = re.compile(r"[0-9a-f]{6,64}")


def is_called(image: Image, ref: str) -> bool:
    """True if `ref` means this image."""
    return any(name in image.tags or name in image.digests for name in local_names(ref))


class ImageNames:
    """The images of an engine, to be found by id, short id, tag or digest."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._ids: dict[str, str] = {}
        for image in images:
            self._ids |= dict.fromkeys(
                (image.id, image.id.removeprefix("sha256:"), *image.tags, *image.digests), image.id
            )

    def find(self, ref: str) -> str | None:
        """The id of the image that `ref` means now; None if there is none, or more than one."""
        found = next((self._ids[name] for name in (ref, *local_names(ref)) if name in self._ids), None)
        if found is None and SHORT_ID.fullmatch(ref):
            starting = {image for image in self._ids.values() if image.startswith(f"sha256:{ref}")}
            found = starting.pop() if len(starting) == 1 else None
        return found
