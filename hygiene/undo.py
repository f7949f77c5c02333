"""What is kept of a thing before it goes: enough to get it back if it can be, and to say so if not (X6). Pure."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from hygiene.contracts import Container, Image, Volume
from launchplane.changes.contracts import Json

Reversible = Literal["yes", "no", "unknown"]


# a plan goes into rows and records: what a builder of images writes into labels must not decide how large they are
MOST_LABELS, LONGEST_LABEL = 64, 256


class Undo(NamedTuple):
    """Undo data, whether the thing can be got back, and a sentence about that for whoever approves."""

    data: Mapping[str, Json]
    reversible: Reversible
    sentence: str


def of_image(image: Image) -> Undo:
    """Tags, digests and labels; an image that came from a registry can be pulled again by its digest.

    A digest tells of a registry where images have an id of their own. containerd's store takes the digest for the id,
    and names one for every image, pulled or not.
    """
    data: dict[str, Json] = {
        "id": image.id,
        "tags": image.tags,
        "digests": image.digests,
        "pull": image.digests[0] if image.digests else None,
    } | _labels(image.labels)
    if image.digests and not any(name.endswith(f"@{image.id}") for name in image.digests):
        return Undo(data, "yes", f"Can be pulled again as {image.digests[0]}, while its registry has it.")
    if image.digests:
        sentence = f"Whether a registry has {image.digests[0]} is not known: this engine names one for every image."
        return Undo(data, "unknown", sentence)
    return Undo(data, "no", "Was never pulled, so there is no digest to pull it by: it can only be built again.")


def of_container(container: Container) -> Undo:
    """What it was made of and what it held. Its own files are lost."""
    data: dict[str, Json] = {
        "id": container.id,
        "name": container.name,
        "image_id": container.image_id,
        "image": container.image_ref,
        "mounts": tuple(mount.model_dump() for mount in container.mounts),
    }
    return Undo(
        data | _labels(container.labels), "no", "What it wrote outside of its volumes is lost; its volumes stay."
    )


def of_volume(volume: Volume) -> Undo:
    """Its metadata. What is in it is lost for good."""
    data: dict[str, Json] = {
        "name": volume.name,
        "driver": volume.driver,
        "mountpoint": volume.mountpoint,
        "created_at": None if volume.created_at is None else volume.created_at.isoformat(),
        "size_bytes": volume.size_bytes,
    } | _labels(volume.labels)
    return Undo(data, "no", "What is in it is lost for good: only its name and labels are kept.")


def of_build_cache() -> Undo:
    """Build cache is what a build makes anew."""
    return Undo(
        {"how": "the next build makes it again, and takes longer once"}, "yes", "Is made again by the next build."
    )


def _labels(labels: Mapping[str, str]) -> dict[str, Json]:
    """The labels, and in `labels_cut` what of them is not kept, if that is so."""
    kept = {name[:LONGEST_LABEL]: text[:LONGEST_LABEL] for name, text in sorted(labels.items())[:MOST_LABELS]}
    if kept == dict(labels):
        return {"labels": kept}
    cut = f"{len(kept)} of {len(labels)} labels are kept, each name and value cut to {LONGEST_LABEL} characters."
    return {"labels": kept, "labels_cut": cut}
