"""Retirement: things that an operator named one by one, and nothing else (H38, H39). Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from hygiene.contracts import Class, Container, Image, Inventory, Key, Kind, Volume
from hygiene.judge import Judgement
from hygiene.names import is_called
from hygiene.plan.assemble import assemble, common_blockers, left_alone
from hygiene.plan.bounds import RETIRE
from hygiene.plan.items import (
    KINDS,
    Item,
    container_item,
    freed_one_after_another,
    image_item,
    in_order,
    volume_item,
)
from hygiene.plan.scene import Scene, without
from launchplane.canonical import digest
from launchplane.changes.contracts import Blocker, Plan

NEEDS = ("images", "containers", "volumes", "docker_summary")
SHORTEST_ID = 12
GOES = (Class.CANDIDATE, Class.KEPT)
NOT_BY_NAME = "Build cache goes by a budget, not by name: plan hygiene.build-cache."


def plan_retire(scene: Scene, names: Sequence[str]) -> Plan:
    """Items are `KIND:ID`: an image by tag or id, a container by name or id, a volume by name, a builder by node."""
    named, blockers = _named(scene.inventory, names)
    going = [item for item in named if isinstance(item, Container)]
    rest = without(scene.inventory, [container for container in going if not container.alive])
    before, after = scene.judge(), scene.judge(inventory=rest)
    blockers += [blocker for item in named if (blocker := _refused(item, before, after)) is not None]
    items = in_order(_item(item, after if not isinstance(item, Container) else before) for item in named)
    common = common_blockers(scene, NEEDS)
    return assemble(
        RETIRE,
        scene,
        title=f"Retire {_counted(items)}" if items else "Retire named items",
        items=items,
        freed=_freed(items, before, after),
        blockers=[*common, *blockers],
        subject=digest("\n".join(item.target for item in items).encode())[:12],
        facts={
            "warnings": _warnings(items),
            "named": tuple(names),
            "left_alone": left_alone(before, KINDS.values(), going={item.key for item in items if item.key}),
        },
    )


Named = Image | Container | Volume


def _named(inventory: Inventory, names: Sequence[str]) -> tuple[list[Named], list[Blocker]]:
    """What the names mean, each thing once, and what stands against those that mean nothing."""
    found: dict[Key, Named] = {}
    blockers = [] if names else [Blocker(code="no_item_named", summary="Name each item that is to go: KIND:ID.")]
    for name in names:
        kind, _, wanted = name.partition(":")
        if kind == Kind.BUILD_CACHE:
            blockers.append(Blocker(code="not_by_name", summary=f"{name[:120]}: {NOT_BY_NAME}"))
            continue
        things = _find(inventory, kind, wanted) if wanted else []
        if not things:
            blockers.append(Blocker(code="item_not_on_host", summary=f"{name[:120]} is not on this host."))
        elif len(things) > 1 and kind != Kind.BUILDER:
            blockers.append(Blocker(code="item_ambiguous", summary=f"{name[:120]} means {len(things)} things."))
        else:
            found |= {_key(thing): thing for thing in things}
    return list(found.values()), blockers


def _find(inventory: Inventory, kind: str, wanted: str) -> Sequence[Named]:
    match kind:
        case Kind.IMAGE:
            return [i for i in inventory.images if is_called(i, wanted) or _is_id(i.id, wanted)]
        case Kind.CONTAINER:
            return [c for c in inventory.containers if c.name == wanted or _is_id(c.id, wanted)]
        case Kind.VOLUME:
            return [v for v in inventory.volumes if v.name == wanted]
        case Kind.BUILDER:
            return list(_parts_of_builder(inventory, wanted))
    return []


def _parts_of_builder(inventory: Inventory, node: str) -> Iterable[Named]:
    """The container and the state volume of a builder: what is left of it, named by its node."""
    for builder in inventory.builders:
        if builder.name == node:
            yield from (c for c in inventory.containers if c.id == builder.container_id)
            yield from (v for v in inventory.volumes if v.name == builder.volume)


def _is_id(value: str, wanted: str) -> bool:
    bare = wanted.removeprefix("sha256:")
    return len(bare) >= SHORTEST_ID and value.removeprefix("sha256:").startswith(bare)


def _refused(item: Named, before: Judgement, after: Judgement) -> Blocker | None:
    """Why this one must not go: protected and unknown things never do, whoever approves (H45); those in use neither."""
    verdict = (before if isinstance(item, Container) else after).verdicts[_key(item)]
    if isinstance(item, Container) and item.alive:
        return Blocker(code="item_in_use", summary=f"{_name(item)}: {verdict.reason}")
    if verdict.rule == "required_warm":
        return Blocker(code="warm_not_retained", summary=f"{_name(item)}: {verdict.reason}")
    if verdict.cls not in GOES:
        return Blocker(code=f"item_{verdict.cls.value}", summary=f"{_name(item)}: {verdict.reason}")
    if isinstance(item, Image) and item.size_bytes is None:
        return Blocker(code="item_unknown", summary=f"{_name(item)}: its size is not known.")
    if isinstance(item, Volume) and item.created_at is None:
        return Blocker(code="item_unknown", summary=f"{_name(item)}: when it was made is not known.")
    return None


def _item(item: Named, judgement: Judgement) -> Item:
    why = judgement.verdicts[_key(item)].reason
    if isinstance(item, Image):
        return image_item(item, why)
    return container_item(item, why) if isinstance(item, Container) else volume_item(item, why)


def _freed(items: Sequence[Item], before: Judgement, after: Judgement) -> list[int | None]:
    """Containers first, reckoned as they are; then what is left, as it is without them."""
    keys = [item.key for item in items if item.key is not None]
    containers = [[key] for key in keys if key[0] == Kind.CONTAINER]
    others = [[key] for key in keys if key[0] != Kind.CONTAINER]
    return [*freed_one_after_another(before, containers), *freed_one_after_another(after, others)]


def _warnings(items: Sequence[Item]) -> tuple[str, ...]:
    """A sentence for each item that cannot surely be got again, first those that surely cannot."""
    lost = [f"{item.title} is lost for good. {item.undo.sentence}" for item in items if item.undo.reversible == "no"]
    return (*lost, *(f"{item.title}: {item.undo.sentence}" for item in items if item.undo.reversible == "unknown"))


def _counted(items: Sequence[Item]) -> str:
    counts = Counter(item.key[0] for item in items if item.key is not None)
    words = [
        f"{counts[kind]} {kind.value}{'' if counts[kind] == 1 else 's'}"
        for kind in (Kind.IMAGE, Kind.CONTAINER, Kind.VOLUME)
        if counts[kind]
    ]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _key(item: Named) -> Key:
    if isinstance(item, Image):
        return Kind.IMAGE, item.id
    return (Kind.CONTAINER, item.id) if isinstance(item, Container) else (Kind.VOLUME, item.name)


def _name(item: Named) -> str:
    if isinstance(item, Image):
        return f"image {item.tags[0] if item.tags else item.id}"
    return f"{'container' if isinstance(item, Container) else 'volume'} {item.name}"
