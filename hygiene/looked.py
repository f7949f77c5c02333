"""What became of a step whose outcome nobody heard: told from looking alone. Nothing is ever done again."""

import time
from collections.abc import Callable

from hygiene.parse.values import total
from hygiene.plan.items import KINDS
from hygiene.plan.scene import Scene
from launchplane.changes.contracts import PlannedStep, StepOutcome
from launchplane.words import human_bytes

# a prune whose caller is gone ends: what still shrinks after this long has not ended
SETTLED_SECONDS = 2.0
LISTS = {"remove-image": "images", "remove-container": "containers", "remove-volume": "volumes"}


def look_for(step: PlannedStep, observe: Callable[[], Scene], before: Scene | None) -> StepOutcome:
    """Done, skipped (not done), failed (a prune that nobody answered for) or unknown. `before` is the look before."""
    now = observe()
    if step.verb not in KINDS:
        return _prune(step, now, observe, before)
    if (why := now.inventory.unmeasured.get(LISTS[step.verb])) is not None:
        return _said("unknown", f"The {LISTS[step.verb]} could not be listed: {why}.")
    if step.verb == "remove-image":
        return _image(step, now)
    if step.verb == "remove-volume":
        return _volume(step, now)
    if any(container.id == step.target for container in now.inventory.containers):
        return _said("skipped", "It is still there: nothing was done to it.")
    return _said("done", "It is gone.", step.predicted_bytes)


def _image(step: PlannedStep, now: Scene) -> StepOutcome:
    found = next((image for image in now.inventory.images if image.id == step.target), None)
    if found is None:
        return _said("done", "It is gone.", step.predicted_bytes)
    wanted = step.expected["tags"]
    if isinstance(wanted, tuple) and sorted(map(str, wanted)) != sorted(found.tags):
        return _said("failed", f"It is still there, with other tags: {', '.join(found.tags) or 'none'}.")
    return _said("skipped", "It is still there: nothing was done to it.")


def _volume(step: PlannedStep, now: Scene) -> StepOutcome:
    found = next((volume for volume in now.inventory.volumes if volume.name == step.target), None)
    if found is None:
        return _said("done", "It is gone.", step.predicted_bytes)
    made_at = None if found.created_at is None else found.created_at.isoformat()
    if made_at != step.expected["created_at"]:
        return _said("done", "It is gone, and one of that name was made anew.", step.predicted_bytes)
    return _said("skipped", "It is still there: nothing was done to it.")


def _prune(step: PlannedStep, first: Scene, observe: Callable[[], Scene], before: Scene | None) -> StepOutcome:
    """How far a prune came, by what is left; whether it still goes on, by looking twice (H14)."""
    time.sleep(SETTLED_SECONDS)
    left, then = _cache_bytes(step, first), _cache_bytes(step, observe())
    if left is None or then is None:
        return _said("unknown", "The build cache could not be read.")
    if then < left:
        return _said("unknown", f"The build cache still shrinks: {human_bytes(then)} are left.")
    had = None if before is None else _cache_bytes(step, before)
    freed = None if had is None else max(had - then, 0)
    words = "" if had is None else f", {human_bytes(had)} before"
    return _said("failed", f"It holds {human_bytes(then)} now{words}. It is not tried again.", freed)


def _cache_bytes(step: PlannedStep, scene: Scene) -> int | None:
    if "build_cache" in scene.inventory.unmeasured or "docker_summary" in scene.inventory.unmeasured:
        return None
    node = step.target if step.verb == "prune-builder" else ""
    if node and f"builder:{node}" in scene.inventory.unmeasured:
        return None
    return total(record.size_bytes for record in scene.inventory.build_cache if record.builder == node)


def _said(outcome: str, detail: str, freed_bytes: int | None = None) -> StepOutcome:
    return StepOutcome.model_validate(
        {"outcome": outcome, "detail": detail, "freed_bytes": freed_bytes, "evidence": {"looked": True}}
    )
