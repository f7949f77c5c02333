"""Canonical text as it is stored: compressed, under the digest of what it was. Pure."""

import zlib

from launchplane.canonical import digest


def packed(text: bytes) -> bytes:
    """`text` for a column of bytes."""
    return zlib.compress(text, 6)


def unpacked(compressed: bytes | memoryview, sha256: str) -> bytes:
    """The text again. Raises ValueError if it is not the one with that digest."""
    try:
        text = zlib.decompress(compressed)
    except zlib.error as error:
        raise ValueError(f"the stored text {sha256} is damaged: it cannot be read") from error
    if digest(text) != sha256:
        raise ValueError(f"the stored text {sha256} is damaged: it is not the text that was hashed")
    return text
