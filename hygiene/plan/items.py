"""The single things of a plan: what is done to each, what must hold just before, what is kept of it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hygiene import undo
from hygiene.contracts import Class, Container, Image, Key, Kind, Volume
from hygiene.judge import Judgement
from launchplane.changes.contracts import Json, PlannedStep
from onhost.engine import removals
from onhost.engine.removals import PruneBounds

VERBS: Mapping[str, str] = {
    "remove-container": removals.REMOVE_CONTAINER,
    "remove-volume": removals.REMOVE_VOLUME,
    "remove-image": removals.REMOVE_IMAGE,
    "prune-build-cache": removals.PRUNE_BUILD_CACHE,
    "prune-builder": removals.PRUNE_BUILDER,
}
KINDS: Mapping[str, Kind] = {
    "remove-container": Kind.CONTAINER,
    "remove-volume": Kind.VOLUME,
    "remove-image": Kind.IMAGE,
}
# what holds others goes before them; after that the most destructive comes first
ORDER = tuple(VERBS)
MOST = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """One step to be, before it has its number. `why` says in a sentence why it can go."""

    verb: str
    target: str
    title: str
    why: str
    expected: Mapping[str, Json]
    undo: undo.Undo

    @property
    def key(self) -> Key | None:
        """The resource that it takes away; None for a prune, which takes records."""
        return (KINDS[self.verb], self.target) if self.verb in KINDS else None


def image_item(image: Image, why: str) -> Item:
    """An image: the same id, exactly these tags and digests, and this size."""
    expected: dict[str, Json] = {
        "id": image.id,
        "tags": tuple(sorted(image.tags)),
        "digests": tuple(sorted(image.digests)),
        "size_bytes": image.size_bytes,
    }
    title = image.tags[0] if image.tags else image.id
    return Item("remove-image", image.id, title, why, expected, undo.of_image(image))


def container_item(container: Container, why: str) -> Item:
    """A container: the same id, name and image, and stopped."""
    expected: dict[str, Json] = {"id": container.id, "name": container.name, "image_id": container.image_id}
    title = container.name or container.id
    return Item("remove-container", container.id, title, why, expected, undo.of_container(container))


def volume_item(volume: Volume, why: str) -> Item:
    """A volume: the same name, driver and time of creation."""
    created = None if volume.created_at is None else volume.created_at.isoformat()
    expected: dict[str, Json] = {"name": volume.name, "driver": volume.driver, "created_at": created}
    return Item("remove-volume", volume.name, volume.name, why, expected, undo.of_volume(volume))


def prune_item(bounds: PruneBounds, why: str, *, node: str = "", container_id: str = "") -> Item:
    """A prune of the engine's own build cache, or of that inside the builder `node`."""
    expected: dict[str, Json] = {
        "min_age_seconds": bounds.min_age_seconds,
        "keep_bytes": bounds.keep_bytes,
        "max_bytes": bounds.max_bytes,
    }
    if node:
        expected |= {"builder": node, "container_id": container_id}
        return Item("prune-builder", node, f"build cache of builder {node}", why, expected, undo.of_build_cache())
    return Item("prune-build-cache", "build_cache", "the engine's build cache", why, expected, undo.of_build_cache())


def in_order(items: Iterable[Item]) -> list[Item]:
    """Containers before the volumes and images they hold; then what is lost for good; always the same."""
    return sorted(items, key=lambda item: (ORDER.index(item.verb), item.undo.reversible != "no", item.target))


def numbered(items: Sequence[Item], freed: Sequence[int | None]) -> tuple[PlannedStep, ...]:
    """The steps; `freed` is what each frees when those before it are gone."""
    return tuple(
        PlannedStep(
            position=position,
            verb=item.verb,
            target=item.target,
            title=item.title,
            expected=item.expected,
            undo={**item.undo.data, "why": item.why, "in_words": item.undo.sentence},
            reversible=item.undo.reversible,
            predicted_bytes=predicted,
        )
        for position, (item, predicted) in enumerate(zip(items, freed, strict=True), start=1)
    )


def not_pruned(judgement: Judgement, node: str = "") -> str | None:
    """Why the build cache of `node` (empty: the engine's own) must not be pruned; None if it may be.

    A prune goes by age and size: it spares nothing that an operator named.
    """
    builder = judgement.verdicts.get((Kind.BUILDER, node))
    if builder is not None and builder.rule == "protection":
        return builder.reason
    records = (record.key for record in judgement.inventory.build_cache if record.builder == node)
    verdicts = (judgement.verdicts[Kind.BUILD_CACHE, key] for key in records)
    found = next((verdict for verdict in verdicts if verdict.cls == Class.PROTECTED), None)
    return None if found is None else f"A prune cannot spare a single record. {found.reason}"


def goes(judgement: Judgement, key: Key, scope: str) -> bool:
    """Whether exactly the budget of this scope lets it go."""
    verdict = judgement.verdicts[key]
    return verdict.cls == Class.CANDIDATE and verdict.rule == f"budget.{scope}"


def freed_one_after_another(judgement: Judgement, steps: Sequence[Sequence[Key]]) -> list[int | None]:
    """What each step frees when those before it are gone: together that is what all of them free (X3)."""
    freed: list[int | None] = []
    gone: list[Key] = []
    before: int | None = 0
    for keys in steps:
        gone += keys
        now = judgement.reclaim(gone).freed_bytes
        freed.append(None if now is None or before is None else now - before)
        before = now
    return freed
