"""What an operator calls an image, and whether an image is the one that is meant. Pure."""

from hygiene.contracts import Image


def is_called(image: Image, ref: str) -> bool:
    """True if `ref` is one of the image's tags or digests; a name without a tag means `latest`, as Docker reads it."""
    return ref in image.tags or ref in image.digests or f"{ref}:latest" in image.tags
