"""How people and services call an image, in the names that an engine lists. Pure."""

from __future__ import annotations


def local_names(ref: str) -> tuple[str, ...]:
    """The tag and the digest under which an engine lists what `ref` names, as Docker reads it.

    `docker.io/library/` is not listed; without tag and digest `latest` is meant; with both, either is listed.
    """
    name, _at, digest = ref.removeprefix("docker.io/").removeprefix("library/").partition("@")
    base, _colon, tag = name.rpartition(":")
    if not base or "/" in tag:  # no tag: what follows the colon is a registry's port and a path
        base, tag = name, ""
    if not digest:
        return (f"{base}:{tag or 'latest'}",)
    return (f"{base}:{tag}", f"{base}@{digest}") if tag else (f"{base}@{digest}",)
