"""Images, containers, volumes, build cache and services out of the engine's own JSON.

The same fields stand in `/system/df` and in the lists; only what one of them measures differs.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hygiene.contracts import CacheRecord, Container, Image, Mount, Service, Volume
from hygiene.parse.values import (
    LONGEST_KEY,
    Malformed,
    amount,
    entries,
    exact,
    field,
    key,
    labels,
    moment,
    names,
    text,
    texts,
)
from onhost.engine.buildx import container_name

T = TypeVar("T")
Raw = Mapping[str, Any]
NO_TAG, NO_DIGEST = "<none>:<none>", "<none>@<none>"


def each(raw: Any, parse: Callable[[Raw], T]) -> tuple[list[T], int]:
    """What `parse` makes of each entry of a list, and how many entries were not usable.

    Null is an empty list; anything else that is no list is one entry that is not usable.
    """
    if not isinstance(raw, list):
        return [], int(raw is not None)
    made: list[T] = []
    unusable = 0
    for entry in raw:
        try:
            if not isinstance(entry, Mapping):
                raise Malformed("an entry is no object")
            made.append(parse(entry))
        except Malformed:
            unusable += 1
    return made, unusable


def image(raw: Raw) -> Image:
    """One image. `SharedSize` is -1 (None here) unless the engine was asked for it. Raises Malformed."""
    return Image(
        id=key(raw.get("Id")),
        tags=tuple(tag for tag in names(raw, "RepoTags") if tag != NO_TAG),
        digests=tuple(digest for digest in names(raw, "RepoDigests") if digest != NO_DIGEST),
        created_at=moment(raw.get("Created")),
        size_bytes=amount(raw.get("Size")),
        shared_bytes=amount(raw.get("SharedSize")),
        labels=labels(field(raw, "Labels")),
        parent_id=text(raw.get("ParentId")),
    )


def container(raw: Raw, *, measured: bool) -> Container:
    """One container. Where sizes were `measured` an absent SizeRw is 0 (Go leaves zeros out). Raises Malformed."""
    return Container(
        id=key(raw.get("Id")),
        name=exact(container_name(entries(raw, "Names")), LONGEST_KEY),
        image_id=exact(field(raw, "ImageID")),
        image_ref=text(raw.get("Image")),
        state=text(raw.get("State")),
        created_at=moment(raw.get("Created")),
        size_rw_bytes=amount(raw.get("SizeRw", 0)) if measured else None,
        labels=labels(field(raw, "Labels")),
        mounts=tuple(sorted(map(_mount, entries(raw, "Mounts")), key=lambda mount: (mount.destination, mount.source))),
    )


def _mount(raw: Any) -> Mount:
    if not isinstance(raw, Mapping):
        raise Malformed("a mount is no object")
    kind = exact(field(raw, "Type"))
    source = field(raw, "Name") if kind == "volume" else raw.get("Name") or raw.get("Source") or ""
    return Mount(kind=kind, source=exact(source), destination=text(raw.get("Destination")))


def volume(raw: Raw) -> Volume:
    """One volume; its size is known only where the engine measured it. Raises Malformed."""
    usage = _object(raw, "UsageData")
    return Volume(
        name=key(raw.get("Name")),
        driver=text(raw.get("Driver")),
        mountpoint=text(raw.get("Mountpoint")),
        created_at=moment(raw.get("CreatedAt")),
        size_bytes=amount(usage.get("Size")),
        ref_count=amount(usage.get("RefCount")),
        labels=labels(field(raw, "Labels")),
    )


def cache_record(raw: Raw) -> CacheRecord:
    """One record of the engine's own BuildKit (`Parent` up to API 1.41, `Parents` from 1.42). Raises Malformed."""
    parents = raw.get("Parents")
    # several are no parent that can be found, so what such a record lies upon stays unknown
    parent = " ".join(texts(parents)) if isinstance(parents, list) else raw.get("Parent")
    return CacheRecord(
        builder="",
        id=key(raw.get("ID")),
        parent=text(parent),
        type=text(raw.get("Type")),
        size_bytes=amount(raw.get("Size")),
        in_use=raw.get("InUse") is not False,
        shared=raw.get("Shared") is True,
        created_at=moment(raw.get("CreatedAt")),
        last_used_at=moment(raw.get("LastUsedAt")),
        usage_count=amount(raw.get("UsageCount")),
    )


def service(raw: Raw) -> Service:
    """One swarm service. Raises Malformed."""
    spec = _required(raw, "Spec")
    template = _required(spec, "TaskTemplate")
    # a service of plugins has no containers, and Go leaves out an empty list of mounts
    holder = _required(template, "ContainerSpec") if template.get("ContainerSpec") is not None else {}
    mounts = map(_service_volume, entries(holder, "Mounts") if "Mounts" in holder else [])
    status = _object(raw, "ServiceStatus")
    return Service(
        id=key(raw.get("ID")),
        name=text(spec.get("Name")),
        stack=labels(spec.get("Labels")).get("com.docker.stack.namespace"),
        image=exact(field(holder, "Image")) if holder else "",
        wanted=amount(status.get("DesiredTasks")),
        running=amount(status.get("RunningTasks")),
        volumes=tuple(sorted(filter(None, mounts))),
    )


def _service_volume(raw: Any) -> str:
    """The volume that a service's mount names, or the host's folder; empty for what is anonymous or in memory."""
    if not isinstance(raw, Mapping):
        raise Malformed("a mount is no object")
    return exact(raw.get("Source") or "") if exact(field(raw, "Type")) != "tmpfs" else ""


def _required(raw: Raw, name: str) -> Raw:
    """The object in a field. Raises Malformed."""
    found = field(raw, name)
    if not isinstance(found, Mapping):
        raise Malformed(f"{name} is no object")
    return found


def _object(raw: Raw, name: str) -> Raw:
    """The object in a field; an empty one if there is none."""
    found = raw.get(name)
    return found if isinstance(found, Mapping) else {}
