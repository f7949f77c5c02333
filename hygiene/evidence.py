"""What a host is like before and after a run, for the audit: what is gone that must stay fails the run. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from hygiene.contracts import Class, Key, Kind
from hygiene.judge import Judgement
from hygiene.plan.scene import Scene
from launchplane.changes.contracts import Evidence, Json

TOLERATED_SHARE, TOLERATED_BYTES = 10, 10**6


def before(scene: Scene) -> Evidence:
    """What is there before anything is done."""
    return Evidence(facts=_facts(scene, scene.judge()), missing=(), actual_bytes=None)


def after(then: Scene, now: Scene, deleted_bytes: int | None) -> Evidence:
    """What is there afterwards: what is missing (H32), and what was freed by three counts (H48).

    `then` is the look before the run; `deleted_bytes` is what the removed items add up to.
    """
    freed = _freed(then, now, deleted_bytes)
    known = [freed[name] for name in ("by_df_bytes", "by_deleted_bytes", "by_disk_bytes")]
    judgement = now.judge()
    facts = _facts(now, judgement) | {"freed": freed}
    actual = next((size for size in known if isinstance(size, int)), None)
    return Evidence(facts=facts, missing=tuple(_missing(then, now, judgement)), actual_bytes=actual)


def _facts(scene: Scene, judgement: Judgement) -> dict[str, Json]:
    disk, summary = scene.readings.disk, scene.inventory.summary
    return {
        "observed_at": scene.observed_at.isoformat(),
        "snapshot": scene.snapshot,
        "engine_id": scene.inventory.engine.engine_id,
        "disk": None if disk is None else disk.model_dump(),
        "docker_summary": summary.model_dump(),
        "docker_bytes": docker_bytes(scene),
        "builders": tuple(
            {"name": b.name, "state": b.state, "volume": b.volume, "cache_bytes": b.cache_bytes}
            for b in scene.inventory.builders
        ),
        "warm_builders": tuple(warm.model_dump() for warm in scene.report.warm_builders),
        "warm_images": tuple(warm.model_dump() for warm in scene.report.warm_images),
        "budgets": {
            rule.scope: rule.model_dump(exclude={"scope"}) | {"applied": rule.scope in scene.host.applied}
            for rule in scene.policy.budgets
        },
        "protected": len(_protected(judgement)),
        "resources_by_rule": _by_rule(judgement),
        "unmeasured": dict(scene.report.unmeasured),
    }


def _by_rule(judgement: Judgement) -> dict[str, Json]:
    """How many things there are by the rule that decides on them; the plan has the reasons."""
    counts = Counter(f"{verdict.cls.value}: {verdict.rule}" for verdict in judgement.verdicts.values())
    return dict(sorted(counts.items()))


def docker_bytes(scene: Scene) -> int | None:
    """All that Docker itself counts: layers, containers, volumes and build cache; None as soon as one is not known."""
    summary = scene.inventory.summary
    parts = [summary.images, summary.containers, summary.volumes, summary.build_cache]
    sizes = [None if part is None else part.size_bytes for part in parts]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _protected(judgement: Judgement) -> set[Key]:
    keys = judgement.keys(Class.PROTECTED)
    return {key for key in keys if key[0] != Kind.BUILD_CACHE}


def _missing(then: Scene, now: Scene, judgement: Judgement) -> list[str]:
    """Required and protected things that are not there, or not any more as they were."""
    ran = {warm.node for warm in then.report.warm_builders if warm.state == "warm"}
    found = [
        f"required builder {warm.node} ({warm.state})"
        for warm in now.report.warm_builders
        if warm.state in ("missing", "unknown") or (warm.state == "stopped" and warm.node in ran)
    ]
    found += [f"required image {warm.ref}" for warm in now.report.warm_images if warm.present is not True]
    unread = {kind for kind in Kind if _unread(kind, now)}
    # whoever protected something while the run went on meant it as well
    protected = _protected(then.judge()) | _protected(then.judge(policy=now.policy))
    gone = sorted(key for key in protected - judgement.verdicts.keys() if key[0] not in unread)
    found += [f"protected {kind.value} {key}" for kind, key in gone]
    had = {kind for kind, _key in protected}
    return found + [f"the list of {kind.value}s, which could not be read" for kind in sorted(unread & had)]


def _unread(kind: Kind, scene: Scene) -> bool:
    parts = {Kind.IMAGE: "images", Kind.CONTAINER: "containers", Kind.VOLUME: "volumes"}
    return kind in parts and parts[kind] in scene.inventory.unmeasured


def _freed(then: Scene, now: Scene, by_deleted: int | None) -> Mapping[str, Json]:
    by_df = _less(docker_bytes(then), docker_bytes(now))
    disks = [scene.readings.disk for scene in (then, now)]
    by_disk = _less(*(None if disk is None else disk.used_bytes for disk in disks))
    disagree = _disagree([by_df, by_deleted])
    return {
        "by_df_bytes": by_df,
        "by_disk_bytes": by_disk,
        "by_deleted_bytes": by_deleted,
        "disagree": disagree,
        "in_words": _words(disagree, by_disk),
    }


def _less(older: int | None, newer: int | None) -> int | None:
    return None if older is None or newer is None else older - newer


def _disagree(sizes: Sequence[int | None]) -> bool | None:
    """Whether two counts of the same differ by more than a tenth and a megabyte; None if there are not two."""
    known = [size for size in sizes if size is not None]
    if len(known) < 2:
        return None
    return max(known) - min(known) > max(TOLERATED_BYTES, abs(max(known)) // TOLERATED_SHARE)


def _words(disagree: bool | None, by_disk: int | None) -> str:
    if disagree is None:
        return "Only one count could be made."
    said = (
        "The counts disagree: others used the host meanwhile, or a layer is counted twice."
        if disagree
        else ("Docker's disk usage and its removals agree.")
    )
    return f"{said} The disk itself is used by others too." if by_disk is not None else said
