"""From items to a plan: its boundary, its bounds, what it would free, and what stands in its way. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from hygiene.contracts import Class, Key, Kind
from hygiene.judge import Judgement
from hygiene.plan.bounds import bounds_of
from hygiene.plan.items import MOST, VERBS, Item, numbered
from hygiene.plan.scene import Scene
from launchplane.changes.contracts import RULES_VERSION, Blocker, Boundary, DeclaredCall, Json, Plan

Needs = tuple[str, ...]

NEXT_STEPS: Mapping[str, str] = {
    "host_not_approved": "Whoever may change the host's settings can approve it there.",
    "hygiene_not_enabled": "Whoever may change the host's settings can enable hygiene there.",
    "another_engine": "Look who answers there; if the machine was rebuilt on purpose, add it as a new host.",
    "required_warm_missing": "Start the builder or pull the image again, or take it off the host's required list.",
    "not_measured": "Look at the report for what could not be read and why, then plan again.",
    "no_budget_applies": "Set the budget to “may be applied” once its bounds are what you want.",
    "no_managed_label": "Enter the label that CI jobs put on their images in the host's settings.",
    "scope_too_broad": "Plan fewer things at a time.",
    "no_item_named": "Name each item: image:TAG, container:NAME, volume:NAME or builder:NODE.",
    "item_not_on_host": "Look at the host's inventory: what is gone needs no retirement.",
    "item_ambiguous": "Name it by its id.",
    "not_by_name": "Plan hygiene.build-cache, which prunes to the budgets.",
    "item_in_use": "Stop and remove who uses it first, or name that container too.",
    "item_protected": "It stays, whoever approves; the host's settings say what is protected.",
    "item_unknown": "Look at the report for what could not be read and why, then plan again.",
    "warm_not_retained": "Take it off the host's required list first, if nobody needs it warm any more.",
}


def assemble(  # noqa: PLR0913 - a plan is made of these
    kind: str,
    scene: Scene,
    *,
    title: str,
    items: Sequence[Item],
    freed: Sequence[int | None],
    blockers: Sequence[Blocker],
    subject: str = "",
    facts: Mapping[str, Json] | None = None,
) -> Plan:
    """The plan of `items`, in the order they are in, with what each frees after those before it."""
    steps = numbered(items, freed)
    in_force = bounds_of(kind, scene.host, scene.policy)
    limits = boundary(scene, items)
    found = [*blockers, *too_broad(limits, items)]
    disk = scene.readings.disk
    told: dict[str, Json] = {
        "snapshot": scene.snapshot,
        "observed_at": scene.observed_at.isoformat(),
        "resources": resources(scene),
        "disk_used_percent": None if disk is None else disk.used_percent,
        "disk_used_percent_after": _percent_after(scene, freed),
        "estimate": "What layers free is reckoned from the images' own sizes: the engine's figure may differ a little.",
    }
    return Plan(
        kind=kind,
        host=scene.host.name,
        subject=subject,
        title=title,
        target_identity=scene.host.engine_id,
        rules_version=RULES_VERSION,
        steps=steps,
        protections=in_force.protections,
        bounds=in_force.bounds,
        boundary=limits,
        predicted_bytes=total(freed),
        blockers=tuple(found),
        next_steps=tuple(dict.fromkeys(NEXT_STEPS[b.code] for b in found if b.code in NEXT_STEPS)),
        facts=told | dict(facts or {}),
    )


def common_blockers(scene: Scene, needs: Needs) -> list[Blocker]:
    """What stands in the way of every kind (H22); `needs` are the parts of the inventory that it cannot do without."""
    host, found = scene.host, []
    if not host.approved:
        found.append(Blocker(code="host_not_approved", summary=f"{host.name} is not approved for changes."))
    if not host.hygiene_enabled:
        found.append(Blocker(code="hygiene_not_enabled", summary=f"Hygiene is not enabled on {host.name}."))
    if scene.inventory.engine.engine_id != host.engine_id:
        found.append(Blocker(code="another_engine", summary="What was observed is of another engine."))
    if missing := missing_warm(scene):
        found.append(
            Blocker(code="required_warm_missing", summary=f"Missing already before the run: {', '.join(missing)}.")
        )
    unread = {part: scene.inventory.unmeasured[part] for part in needs if part in scene.inventory.unmeasured}
    return found + [
        Blocker(code="not_measured", summary=f"Not known: {part.replace('_', ' ')} ({why}).")
        for part, why in unread.items()
    ]


def missing_warm(scene: Scene) -> list[str]:
    """What is required warm and is not there, or cannot be seen."""
    builders = [f"builder {item.node}" for item in scene.report.warm_builders if item.state in ("missing", "unknown")]
    return builders + [f"image {item.ref}" for item in scene.report.warm_images if item.present is not True]


def boundary(scene: Scene, items: Sequence[Item]) -> Boundary:
    """Which calls, how often, on which host, as whom and through what (H23)."""
    calls = Counter(VERBS[item.verb] for item in items)
    return Boundary(
        host=scene.host.name,
        user=scene.host.user,
        through=through(scene),
        calls=tuple(DeclaredCall(name=name, at_most=calls[name]) for name in VERBS.values() if calls[name]),
        before="Disk, Docker's own summary, builders, required and protected things, from an observation before.",
        after="The same from an observation after, and whether all that must stay is there.",
        rollback=_rollback(items),
    )


def through(scene: Scene) -> str:
    """By which way the host is changed, in words."""
    if scene.host.ssh_target:
        return f"launchplane-docker, over ssh to {scene.host.ssh_target}"
    return f"the engine's socket {scene.host.docker_url}"


def too_broad(limits: Boundary, items: Sequence[Item]) -> list[Blocker]:
    """A boundary names one host, and each of its calls is for a named item (H24)."""
    wanted = sum(call.at_most for call in limits.calls)
    if wanted == len(items) <= MOST and limits.host and "*" not in limits.host:
        return []
    return [Blocker(code="scope_too_broad", summary=f"{wanted} calls for {len(items)} items; {MOST} are the most.")]


def total(freed: Sequence[int | None]) -> int | None:
    """All together; None as soon as one is not known."""
    return None if None in freed else sum(size or 0 for size in freed)


def left_alone(
    judgement: Judgement, kinds: Collection[Kind], *, going: Collection[Key] | None = None
) -> dict[str, Json]:
    """What stays of these kinds, by the rule that decides it, with a reason for the first of each (H40).

    `going` is what goes; without it the candidates do.
    """
    counted: dict[str, dict[str, Json]] = {}
    for key, verdict in judgement.verdicts.items():
        goes = verdict.cls == Class.CANDIDATE if going is None else key in going
        if key[0] in kinds and not goes:
            line = counted.setdefault(verdict.rule, {"class": verdict.cls.value, "count": 0, "such_as": verdict.reason})
            count = line["count"]
            line["count"] = count + 1 if isinstance(count, int) else 1
    return dict(sorted(counted.items()))


def resources(scene: Scene) -> int:
    """How many things are on the host, build cache records included."""
    seen = scene.inventory
    return sum(map(len, (seen.images, seen.containers, seen.volumes, seen.build_cache, seen.builders)))


def _percent_after(scene: Scene, freed: Sequence[int | None]) -> int | None:
    disk, size = scene.readings.disk, total(freed)
    if disk is None or size is None or disk.used_bytes + disk.free_bytes <= 0:
        return None
    return max(-(-(disk.used_bytes - size) * 100 // (disk.used_bytes + disk.free_bytes)), 0)


def _rollback(items: Sequence[Item]) -> str:
    if not items:
        return "Nothing is done, so there is nothing to take back."
    of = Counter(item.undo.reversible for item in items)
    if of["yes"] == len(items):
        return "All of it can be got again: each step says how."
    told = [
        (of["yes"], "can be got again, each step says how"),
        (of["unknown"], "may or may not be got again"),
        (of["no"], "cannot be got again"),
    ]
    return f"Of {len(items)} items: " + "; ".join(f"{number} {what}" for number, what in told if number) + "."
