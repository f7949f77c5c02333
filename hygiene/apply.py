"""One application of a clean-up's plan: looks, gates, one removal at a time, and the proof."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any

from django.utils import timezone

from hygiene import evidence, gates, looking
from hygiene.contracts import Class, Inventory, Key, Policy, Readings
from hygiene.judge import Judgement
from hygiene.looked import look_for
from hygiene.plan.drift import differences
from hygiene.plan.items import KINDS, not_pruned
from hygiene.plan.scene import Scene, without
from hygiene.policy import policy_of
from launchplane.changes import freeze, lock
from launchplane.changes.contracts import Evidence, Gate, Json, Plan, PlannedStep, StepOutcome
from launchplane.changes.news import News
from launchplane.hosts.connect import remover_of
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from onhost.engine.removals import (
    ExpectedContainer,
    ExpectedImage,
    ExpectedVolume,
    PruneBounds,
    Removal,
    Remover,
)

log = logging.getLogger(__name__)

ASKED_BY = "a change"
IDS_KEPT, LONGEST_ID = 100, 128
# between two quick steps nothing is asked twice
GLANCE_SECONDS = 1.0


class HygieneRun:
    """Implements `launchplane.changes.kinds.Run` for the four kinds of clean-up."""

    def __init__(self, host: Host, plan: Plan) -> None:
        self._host, self._plan = host, plan
        self._before: Scene | None = None
        self._remover: Remover | None = None
        self._news = News()
        self._rejudged: tuple[Policy, Judgement] | None = None
        self._gone: list[Key] = []
        self._pruned_bytes: int | None = 0
        self._glanced_at = 0.0
        self._glance_gates: tuple[Gate, ...] = ()
        self._taken_back: Gate | None = None

    def differences(self) -> tuple[str, ...]:
        """Observe again, and hold every precondition of the plan against what is there."""
        self._before = looking.observe_now(self._host, asked_by=ASKED_BY)
        return differences(self._plan, self._before)

    def gates(self) -> tuple[Gate, ...]:
        """Every gate of the kind, from the look that `differences` made, or the last one that is stored."""
        scene = self._scene()
        read = self._readers(scene) | _live(self._host, scene.inventory, scene.readings)
        return tuple(read[name]() for name in gates.TABLE[self._plan.kind])

    def step_gates(self) -> tuple[Gate, ...]:
        """Whether something began to run or to build, looked at once a second at most; and what the last item met."""
        if self._taken_back is not None:
            return (self._taken_back,)
        names = [name for name in gates.TABLE[self._plan.kind] if name in gates.BEFORE_EACH_STEP]
        if names and monotonic() - self._glanced_at >= GLANCE_SECONDS:
            inventory, readings = looking.glance(self._host)
            read = _live(self._host, inventory, readings)
            self._glance_gates = tuple(read[name]() for name in names)
            self._glanced_at = monotonic()
        return self._glance_gates

    def act(self, step: PlannedStep) -> StepOutcome:
        """One removal through the host's door, which looks at the item once more; what people say now comes first."""
        if (why := self._barred(step)) is not None:
            return StepOutcome(outcome="skipped", detail=why, freed_bytes=None, evidence={})
        removal = _removal(self._door(), step, seen_at=datetime.fromisoformat(str(self._plan.facts["observed_at"])))
        outcome = _outcome(step, removal)
        self._remember(step, removal)
        return outcome

    def look(self, step: PlannedStep) -> StepOutcome:
        """What became of a step, from a new observation. Changes nothing."""
        observe = partial(looking.observe_now, self._host, asked_by=ASKED_BY)
        outcome = look_for(step, observe, self._before)
        if outcome.outcome == "done" and step.verb in KINDS:
            self._gone.append((KINDS[step.verb], step.target))
        return outcome

    def recall(self, before: Evidence) -> None:
        """The look that a dead worker's run began with, from the snapshot that its evidence names.

        Where that is gone, what was there before stays unknown.
        """
        try:
            self._before = looking.seen_before(self._host, before)
        except (KeyError, ValueError):
            log.exception("what %s was like before a run cannot be read", self._host.name)

    def evidence(self, *, before: bool) -> Evidence:
        """What is there; after a run from a new observation, which is stored. Raises Problem `not_verifiable`."""
        if before:
            return evidence.before(self._scene())
        if self._before is None:
            raise Problem("not_verifiable", "What was there before the run, and had to stay, is not known any more.")
        now = looking.observe_now(self._host, asked_by=ASKED_BY)
        return evidence.after(self._before, now, self._deleted_bytes())

    def _barred(self, step: PlannedStep) -> str | None:
        """Why this item must stay by what people say now: whoever protects it while a run goes on means this one."""
        if self._news.any():
            allowed = opted_in(self._host)
            self._taken_back = None if allowed.is_open else allowed
            self._judge_again(policy_of(self._host))
        if self._taken_back is not None:
            return self._taken_back.reason
        return _protected_since(step, self._rejudged[1]) if self._rejudged is not None else None

    def _judge_again(self, policy: Policy) -> None:
        """Hold what is there against a policy that is another one than that of the look at the start."""
        scene = self._scene()
        if policy == scene.policy:
            self._rejudged = None
        elif self._rejudged is None or self._rejudged[0] != policy:
            self._rejudged = policy, scene.judge(policy=policy)

    def _scene(self) -> Scene:
        scene = self._before or looking.last_seen(self._host)
        if scene is None:
            raise Problem("never_observed", f"{self._host.name} was never observed.")
        return scene

    def _readers(self, scene: Scene) -> dict[str, Callable[[], Gate]]:
        """The gates that rest on the last whole observation, or on what is stored."""
        host, now = scene.host, timezone.now()
        return {
            "identity": partial(gates.identity, scene.inventory.engine.engine_id, host.engine_id),
            "fresh": partial(gates.fresh, scene.observed_at, now),
            "freeze": partial(freeze.gate, self._host),
            "lock": partial(lock.gate, self._host),
            "pressure": partial(gates.pressure, scene.readings, threshold_percent=host.pressure_percent),
            "window": partial(gates.window, host.maintenance_window, now),
            "phase_one": partial(gates.phase_one, scene.phase_one, scene.observed_at),
            "no_other_prune": partial(gates.no_other_prune, scene.readings),
        }

    def _door(self) -> Remover:
        if self._remover is None:
            self._remover = remover_of(self._host, api_version=self._scene().inventory.engine.api_version)
        return self._remover

    def _remember(self, step: PlannedStep, removal: Removal) -> None:
        """What is gone, so that afterwards it can be said what that should have freed."""
        if step.verb in KINDS and removal.outcome == "done":
            self._gone.append((KINDS[step.verb], step.target))
        elif step.verb not in KINDS:
            known = self._pruned_bytes is not None and removal.freed_bytes is not None
            self._pruned_bytes = (self._pruned_bytes or 0) + (removal.freed_bytes or 0) if known else None

    def _deleted_bytes(self) -> int | None:
        """What the removed items hold together, by the look before, and what prunes said."""
        if self._before is None or self._pruned_bytes is None:
            return None
        gone = {key for _kind, key in self._gone}
        containers = [c for c in self._before.inventory.containers if c.id in gone]
        rest = self._before.judge(inventory=without(self._before.inventory, containers))
        things = rest.reclaim(key for key in self._gone if key[1] not in {c.id for c in containers}).freed_bytes
        sizes = [container.size_rw_bytes for container in containers]
        if things is None or None in sizes:
            return None
        return things + sum(size or 0 for size in sizes) + self._pruned_bytes


def opted_in(host: Host) -> Gate:
    """Open as long as the host is approved for changes and hygiene is enabled on it. Asks the database."""
    host.refresh_from_db(fields=["approved", "hygiene_enabled"])
    said: dict[str, Json] = {"approved": host.approved, "hygiene_enabled": host.hygiene_enabled}
    if not host.approved:
        reason = f"{host.name} is not approved for changes any more."
    elif not host.hygiene_enabled:
        reason = f"Hygiene is not enabled on {host.name} any more."
    else:
        return Gate(name="opted_in", state="open", reason=f"{host.name} is approved and opted in.", evidence=said)
    return Gate(name="opted_in", state="closed", reason=reason, evidence=said)


def _protected_since(step: PlannedStep, judgement: Judgement) -> str | None:
    """Why the item is protected under the policy of now; a prune spares nothing, so one protected record bars it."""
    if step.verb not in KINDS:
        return not_pruned(judgement, step.target if step.verb == "prune-builder" else "")
    verdict = judgement.verdicts.get((KINDS[step.verb], step.target))
    return verdict.reason if verdict is not None and verdict.cls is Class.PROTECTED else None


def _live(host: Host, inventory: Inventory, readings: Readings) -> dict[str, Callable[[], Gate]]:
    """The gates about what runs right now."""
    return {
        "idle": partial(gates.idle, inventory, readings, tuple(host.run_patterns)),
        "converged": partial(gates.converged, inventory),
        "no_build": partial(gates.no_build, inventory, readings, timezone.now()),
    }


def _removal(door: Remover, step: PlannedStep, *, seen_at: datetime) -> Removal:
    expected: Mapping[str, Any] = step.expected
    match step.verb:
        case "remove-image":
            tags, digests = tuple(expected["tags"]), tuple(expected.get("digests", ()))
            return door.remove_image(ExpectedImage(expected["id"], tags, expected["size_bytes"], digests))
        case "remove-container":
            named = expected["id"], expected["name"], expected["image_id"]
            return door.remove_container(ExpectedContainer(*named, seen_at=seen_at))
        case "remove-volume":
            created_at = datetime.fromisoformat(expected["created_at"])
            return door.remove_volume(ExpectedVolume(expected["name"], expected["driver"], created_at))
        case "prune-build-cache":
            return door.prune_build_cache(_prune_bounds(expected))
        case "prune-builder":
            return door.prune_builder(expected["container_id"], _prune_bounds(expected))
    raise Problem("unknown_verb", f"{step.verb} is nothing that a clean-up does.")


def _prune_bounds(expected: Mapping[str, Any]) -> PruneBounds:
    return PruneBounds(expected["min_age_seconds"], expected["keep_bytes"], expected["max_bytes"])


def _outcome(step: PlannedStep, removal: Removal) -> StepOutcome:
    """The engine names what it deleted, not how much that held: that is as it was reckoned (D25)."""
    freed = removal.freed_bytes
    if freed is None and removal.outcome == "done" and removal.deleted and step.verb in KINDS:
        freed = step.predicted_bytes
    deleted: dict[str, Json] = {"deleted": len(removal.deleted), "deleted_ids": _cut(removal.deleted)}
    return StepOutcome(outcome=removal.outcome, detail=removal.detail, freed_bytes=freed, evidence=deleted)


def _cut(ids: tuple[str, ...]) -> tuple[str, ...]:
    """What is kept of the ids that an engine says: an id is short, whatever else comes is not kept whole."""
    return tuple(found[:LONGEST_ID] for found in ids[:IDS_KEPT])
