"""`/system/df` in all its shapes: API 1.41 to 1.51 list the items, 1.52 adds (and may only have) usage objects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hygiene.contracts import CacheRecord, Container, DockerSummary, Image, TypeSummary, Volume
from hygiene.parse import items
from hygiene.parse.values import amount, total

USAGE = {
    "images": "ImageUsage",
    "containers": "ContainerUsage",
    "volumes": "VolumeUsage",
    "build_cache": "BuildCacheUsage",
}
LEGACY = {"images": "Images", "containers": "Containers", "volumes": "Volumes", "build_cache": "BuildCache"}


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """What one answer held. A list is None if the answer had neither shape of it; `reasons` says what is missing."""

    images: list[Image] | None
    containers: list[Container] | None
    volumes: list[Volume] | None
    build_cache: list[CacheRecord] | None
    layers_bytes: int | None
    summary: DockerSummary
    reasons: dict[str, str]


def parse_df(raw: Any) -> DiskUsage:
    """Both shapes of the answer, by the same rules. Whatever is missing or unusable has its reason in `reasons`."""
    document: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    reasons: dict[str, str] = {}
    entries = {name: _entries(document, name, reasons) for name in USAGE}
    images = _parse(entries, "images", items.image, reasons)
    containers = _parse(entries, "containers", lambda entry: items.container(entry, measured=True), reasons)
    volumes = _parse(entries, "volumes", items.volume, reasons)
    build_cache = _parse(entries, "build_cache", items.cache_record, reasons)
    layers = _layers_bytes(document)
    counted = _containers_by_image(entries["images"], containers)
    summary = {
        "images": images_summary(images, layers, counted) if images is not None else None,
        "containers": containers_summary(containers) if containers is not None else None,
        "volumes": volumes_summary(volumes) if volumes is not None else None,
        "build_cache": build_cache_summary(build_cache) if build_cache is not None else None,
    }
    for name in USAGE:
        summary[name] = _stated(document, name) or summary[name]
        _explain(summary[name], name, reasons)
    return DiskUsage(images, containers, volumes, build_cache, layers, DockerSummary.model_validate(summary), reasons)


def images_summary(images: Sequence[Image], layers_bytes: int | None, containers: Mapping[str, int]) -> TypeSummary:
    """As clients up to 28 count: all layers, less what images with containers hold for themselves alone."""
    active = [image for image in images if containers.get(image.id)]
    held = total([image.unique_bytes for image in active])
    reclaimable = None if layers_bytes is None or held is None else amount(layers_bytes - held)
    return TypeSummary(count=len(images), active=len(active), size_bytes=layers_bytes, reclaimable_bytes=reclaimable)


def containers_summary(containers: Sequence[Container]) -> TypeSummary:
    """Writable layers; those of containers that are not running, paused or restarting are reclaimable."""
    return TypeSummary(
        count=len(containers),
        active=sum(container.alive for container in containers),
        size_bytes=total([container.size_rw_bytes for container in containers]),
        reclaimable_bytes=total([container.size_rw_bytes for container in containers if not container.alive]),
    )


def volumes_summary(volumes: Sequence[Volume]) -> TypeSummary:
    """Local volumes; those that no container refers to are reclaimable. An unknown count is not "none"."""
    unknown = any(volume.ref_count is None for volume in volumes)
    unused = [volume.size_bytes for volume in volumes if volume.ref_count == 0]
    return TypeSummary(
        count=len(volumes),
        active=sum((volume.ref_count or 0) > 0 for volume in volumes),
        size_bytes=total([volume.size_bytes for volume in volumes]),
        reclaimable_bytes=None if unknown else total(unused),
    )


def build_cache_summary(records: Sequence[CacheRecord]) -> TypeSummary:
    """The engine's own BuildKit. Shared records are layers of images, and counted there."""
    own = [record for record in records if not record.shared]
    return TypeSummary(
        count=len(records),
        active=sum(record.in_use for record in records),
        size_bytes=total([record.size_bytes for record in own]),
        reclaimable_bytes=total([record.size_bytes for record in own if not record.in_use]),
    )


def _entries(document: Mapping[str, Any], name: str, reasons: dict[str, str]) -> list[Any] | None:
    """The raw items of a type, from the shape that has more of them; None if neither tells."""
    legacy, usage = document.get(LEGACY[name]), document.get(USAGE[name])
    listed = usage.get("Items") if isinstance(usage, Mapping) else None
    lists = [found for found in (listed, legacy) if isinstance(found, list)]
    if lists:
        longest = max(lists, key=len)
        if isinstance(usage, Mapping) and len(longest) != usage.get("TotalCount", 0):
            reasons[name] = f"the engine's disk usage lists {len(longest)} {LEGACY[name]}, and counts another number"
        return longest
    if legacy is None and listed is None and _says_none(document, name):
        return []
    reasons[name] = f"the engine's disk usage has no {LEGACY[name]}"
    return None


def _says_none(document: Mapping[str, Any], name: str) -> bool:
    """True where the answer says that there is nothing: Go writes an empty list as null, and leaves out zeros."""
    usage = document.get(USAGE[name])
    if isinstance(usage, Mapping):
        return amount(usage.get("TotalCount", 0)) == 0
    return usage is None and LEGACY[name] in document


def _parse(entries: Mapping[str, list[Any] | None], name: str, parse: Any, reasons: dict[str, str]) -> Any:
    raw = entries[name]
    if raw is None:
        return None
    made, unusable = items.each(raw, parse)
    if unusable:
        reasons[name] = f"{unusable} of {len(raw)} entries of the engine's disk usage cannot be used"
    return made


def _layers_bytes(document: Mapping[str, Any]) -> int | None:
    if "LayersSize" in document:
        return amount(document["LayersSize"])
    usage = document.get("ImageUsage")
    return amount(usage.get("TotalSize", 0)) if isinstance(usage, Mapping) else None


def _containers_by_image(raw: list[Any] | None, containers: Sequence[Container] | None) -> dict[str, int]:
    """How many containers each image has: as the engine counts, else (it says -1) counted here."""
    counted: dict[str, int] = {}
    for container in containers or ():
        counted[container.image_id] = counted.get(container.image_id, 0) + 1
    for entry in raw or ():
        if isinstance(entry, Mapping) and (stated := amount(entry.get("Containers"))) is not None:
            counted[str(entry.get("Id"))] = stated
    return counted


def _stated(document: Mapping[str, Any], name: str) -> TypeSummary | None:
    """The figures that an engine from API 1.52 on computes itself; zeros are left out of its answer."""
    usage = document.get(USAGE[name])
    if not isinstance(usage, Mapping):
        return None
    count, active = amount(usage.get("TotalCount", 0)), amount(usage.get("ActiveCount", 0))
    if count is None or active is None:
        return None
    return TypeSummary(
        count=count,
        active=active,
        size_bytes=amount(usage.get("TotalSize", 0)),
        reclaimable_bytes=amount(usage.get("Reclaimable", 0)),
    )


def _explain(summary: TypeSummary | None, name: str, reasons: dict[str, str]) -> None:
    if summary is not None and (summary.size_bytes is None or summary.reclaimable_bytes is None):
        reasons.setdefault(f"docker_summary.{name}", "the engine does not know the size or the users of every item")
