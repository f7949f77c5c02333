"""What `buildctl` says inside a builder's container: use, garbage collection policy, running builds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hygiene.contracts import CacheRecord, GcPolicy, RunningBuild
from hygiene.parse.items import each
from hygiene.parse.values import Malformed, amount, key, moment, text, texts

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Worker:
    """The builder's worker: BuildKit's version and the policy in force, most specific rule first."""

    version: str | None
    gc_policy: tuple[GcPolicy, ...]


def parse_du(raw: Any, builder: str) -> tuple[list[CacheRecord], int]:
    """Records of `buildctl du --format '{{json .}}'`, and how many were not usable."""
    return each(raw, lambda entry: _record(entry, builder))


def _record(raw: Raw, builder: str) -> CacheRecord:
    parents = raw.get("parents")
    return CacheRecord(
        builder=builder,
        id=key(raw.get("id")),
        parent=text(" ".join(texts(parents))),
        type=text(raw.get("recordType")),
        size_bytes=amount(raw.get("size")),
        in_use=raw.get("inUse") is not False,
        shared=raw.get("shared") is True,
        created_at=moment(raw.get("createdAt")),
        last_used_at=moment(raw.get("lastUsedAt")),
        usage_count=amount(raw.get("usageCount")),
    )


def parse_workers(raw: Any) -> Worker | None:
    """The first worker of `buildctl debug workers --format '{{json .}}'`; None if there is none that can be read."""
    if not isinstance(raw, list) or not raw or not isinstance(raw[0], Mapping):
        return None
    version = raw[0].get("buildkitVersion")
    stated = text(version.get("version")) if isinstance(version, Mapping) else ""
    rules, unusable = each(raw[0].get("gcPolicy"), _rule)
    return None if unusable else Worker(stated or None, tuple(rules))


def _rule(raw: Raw) -> GcPolicy:
    keep_nanoseconds = raw.get("keepDuration", 0)  # up to 64 bits: beyond what `amount` lets through
    # before v0.17 there is one bound, `keepBytes`; from then on three
    reserved = amount(raw.get("reservedSpace", raw.get("keepBytes", 0)))
    max_used, min_free = amount(raw.get("maxUsedSpace", 0)), amount(raw.get("minFreeSpace", 0))
    keep_seconds = amount(keep_nanoseconds // 10**9) if isinstance(keep_nanoseconds, int) else None
    if keep_seconds is None or reserved is None or max_used is None or min_free is None:
        raise Malformed("a rule has no usable bounds")
    return GcPolicy(
        all=raw.get("all") is True,
        filters=texts(raw.get("filter")),
        keep_seconds=keep_seconds,
        reserved_bytes=reserved,
        max_used_bytes=max_used,
        min_free_bytes=min_free,
    )


def parse_histories(raw: Any, builder: str) -> tuple[list[RunningBuild], int]:
    """The builds that run, and how many entries were not usable.

    `buildctl debug histories --format '{{json .}}'` (BuildKit 0.12 and later): a build that runs has no `CompletedAt`.
    An entry that cannot be read counts as running: an active build blocks, so unknown must not read as idle (H17).
    """
    builds: list[RunningBuild] = []
    unusable = 0
    for entry in raw if isinstance(raw, list) else [raw]:
        record = entry.get("record") if isinstance(entry, Mapping) else None
        if not isinstance(record, Mapping):
            unusable += 1
            builds.append(RunningBuild(builder=builder, ref="", started_at=None))
        elif not isinstance(record.get("CompletedAt"), Mapping):
            started = _moment(record.get("CreatedAt"))
            builds.append(RunningBuild(builder=builder, ref=text(record.get("Ref")), started_at=started))
    return builds, unusable


def _moment(raw: Any) -> datetime | None:
    """A protobuf timestamp: seconds and nanoseconds."""
    seconds = amount(raw.get("seconds")) if isinstance(raw, Mapping) else None
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (ValueError, OverflowError, OSError):
        return None
