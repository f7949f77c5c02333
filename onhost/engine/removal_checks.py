"""What is compared just before a removal, how a prune is put to each API version, and what the answers mean. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from onhost.engine.moments import moment
from onhost.engine.questions import is_at_least
from onhost.engine.removals import ExpectedContainer, ExpectedImage, ExpectedVolume, PruneBounds, Removal

STOPPED: Final = ("exited", "created", "dead")
NO_TAG: Final = "<none>:<none>"
NO_DIGEST: Final = "<none>@<none>"
# what containerd's store calls an image that has no name, with its id (moby/daemon/containerd)
NAMELESS: Final = "moby-dangling"


def image_differs(found: Any, expected: ExpectedImage) -> str | None:
    """Why the image that is there is not the one that was approved; None if it is."""
    tags = tuple(sorted(tag for tag in (found.get("RepoTags") or []) if tag != NO_TAG))
    if found.get("Id") != expected.id:
        return "Another image answers to this id."
    if tags != tuple(sorted(expected.tags)):
        return f"It was tagged since: {', '.join(tags) or 'no tag'} now."
    if pulled := sorted({*(found.get("RepoDigests") or [])} - {*expected.digests, NO_DIGEST}):
        return f"It was pulled or pushed since: {', '.join(pulled)} now."
    if found.get("Size") != expected.size_bytes and not _is_kept_by_containerd(found):
        return "Its size is not the one that was approved."
    return None


def _is_kept_by_containerd(found: Any) -> bool:
    """True for an image of containerd's store, whose sizes cannot be compared: a list counts what is unpacked too.

    That store gives an image its manifest's digest for an id, and tells of its descriptor from API 1.48 on
    (moby/moby#53398). The id stands for the content, so nothing else of that id can be there.
    """
    digests = (str(name).rpartition("@")[2] for name in found.get("RepoDigests") or [])
    return found.get("Descriptor") is not None or found.get("Id") in digests


def container_differs(found: Any, expected: ExpectedContainer) -> str | None:
    """Why the container that is there is not the one that was approved, or does not stand still."""
    state = found.get("State") or {}
    if found.get("Id") != expected.id or str(found.get("Name", "")).removeprefix("/") != expected.name:
        return "Another container answers to this id."
    if found.get("Image") != expected.image_id:
        return "It is made of another image than the one that was approved."
    if state.get("Status") not in STOPPED:
        return f"The container is {state.get('Status')} now."
    started_at = moment(state.get("StartedAt"))
    if started_at is None:
        return "When it ran last is not known."
    return "It ran since it was looked at." if started_at > expected.seen_at else None


def volume_differs(found: Any, expected: ExpectedVolume) -> str | None:
    """Why the volume that is there is not the one that was approved; None if it is."""
    if found.get("Name") != expected.name or found.get("Driver") != expected.driver:
        return "Another volume answers to this name."
    if moment(found.get("CreatedAt")) != expected.created_at:
        return "A volume of this name was made anew since."
    return None


def removal_order(expected: ExpectedImage) -> tuple[str, ...]:
    """What the engine is asked to remove, one after the other, the last of it being the image's id.

    By its id an image goes if all that is left of its names is one tag, and digests of the same repository. A tag is
    a poor name for an image: whoever builds anew moves it to another one. Digests go with the last tag of theirs.
    """
    tags, digests = sorted(expected.tags), sorted(expected.digests)
    last = (tags or digests or [""])[-1]
    tagged = {repository(tag) for tag in tags}
    untagged = [digest for digest in digests if repository(digest) not in {*tagged, repository(last)}]
    return (*tags[:-1], *untagged, expected.id)


def repository(name: str) -> str:
    """Of `repository:tag` or `repository@digest`."""
    repository, at, _digest = name.partition("@")
    return repository if at else name.rpartition(":")[0]


def image_removal(entries: list[Mapping[str, str]], expected: ExpectedImage) -> Removal:
    """What the engine's entries say of the removal of an image."""
    deleted = tuple(entry["Deleted"] for entry in entries if "Deleted" in entry)
    untagged = {entry["Untagged"] for entry in entries if "Untagged" in entry}
    known = {*expected.tags, *expected.digests, f"{NAMELESS}@{expected.id}"}
    if taken := sorted(untagged - known):
        # a name that nobody approved: it was tagged or pulled between our look and the removal
        detail = f"Somebody named it in the same moment; it went with that name: {', '.join(taken)}."
        return Removal("raced", detail, None, deleted)
    if expected.id not in deleted:
        return Removal("failed", "Its tags are gone, but the engine kept the image.", 0, deleted)
    return Removal("done", f"The engine deleted the image and {len(deleted) - 1} layers.", None, deleted)


def prune_parameters(bounds: PruneBounds, api_version: str) -> dict[str, str]:
    """The query of `POST /build/prune`.

    Before API 1.48 there is one bound, `keep-storage`: what is left at least, and where pruning stops. `reserved-space`
    sent there is ignored, and everything eligible goes. So the older bound is the larger of the two that are wanted.
    """
    params = {"all": "false", "filters": json.dumps({"until": [f"{bounds.min_age_seconds}s"]})}
    if is_at_least(api_version, "1.48"):
        params["reserved-space"] = str(bounds.keep_bytes)
        if bounds.max_bytes is not None:
            params["max-used-space"] = str(bounds.max_bytes)
        return params
    return params | {"keep-storage": str(max(bounds.keep_bytes, bounds.max_bytes or 0))}


def pruned(answer: Any) -> Removal:
    """What the engine says that its prune freed."""
    records = tuple(answer.get("CachesDeleted") or ()) if isinstance(answer, Mapping) else ()
    freed = answer.get("SpaceReclaimed") if isinstance(answer, Mapping) else None
    if not isinstance(freed, int):
        return Removal("unknown", "The engine did not say what its prune freed.")
    return Removal("done", f"The engine pruned {len(records)} records.", freed, records)
