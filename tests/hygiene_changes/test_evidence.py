"""What is kept of a host before and after a run, and what is told by looking alone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hygiene import evidence, looked
from hygiene.contracts import Inventory, ProtectionRule
from hygiene.plan.build_cache import plan_build_cache
from hygiene.plan.retire import plan_retire
from hygiene.plan.scene import Scene
from launchplane.changes.contracts import PlannedStep, StepOutcome
from tests.factories import GB, a_busy_inventory, a_container, a_volume, an_inventory
from tests.hygiene.judging import an_old_image, budget, policy
from tests.hygiene_changes.scenes import a_scene

RECORD = a_busy_inventory().build_cache[1].model_copy(update={"in_use": False, "shared": False})
CACHE = policy(budget("build_cache", most=5 * GB, reserve=GB, seconds=3600), budget("images"))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looked, "SETTLED_SECONDS", 0)


def cache(*sizes: int | None) -> Scene:
    """The engine's build cache holds records of these sizes."""
    records = [RECORD.model_copy(update={"id": f"r{number}", "size_bytes": s}) for number, s in enumerate(sizes)]
    return a_scene(an_inventory(cache=records), rules=CACHE, phase_one=None)


def seen(step: PlannedStep, *scenes: Scene, before: Scene | None = None) -> StepOutcome:
    looks: Iterator[Scene] = iter(scenes)
    return looked.look_for(step, lambda: next(looks), before)


@pytest.mark.req("H49")
def test_the_budgets_in_force_are_in_the_evidence_and_whether_they_may_be_applied() -> None:
    scene = a_scene(rules=CACHE, applied=frozenset({"build_cache"}))

    facts = evidence.after(scene, scene, None).facts

    assert facts["budgets"] == {
        "build_cache": {"max_bytes": 5 * GB, "reserve_bytes": GB, "min_age_seconds": 3600, "applied": True},
        "images": {"max_bytes": None, "reserve_bytes": 0, "min_age_seconds": 604800, "applied": False},
    }
    assert evidence.before(scene).facts["budgets"] == facts["budgets"]


@pytest.mark.req("H40")
def test_what_is_still_there_is_counted_by_the_rule_that_keeps_it() -> None:
    scene = a_scene(an_inventory([an_old_image("a:1"), an_old_image("b:1")], volumes=[a_volume("data")]))

    assert evidence.after(scene, scene, None).facts["resources_by_rule"] == {
        "kept: no_budget": 2,
        "kept: volume.by_name_only": 1,
    }


@pytest.mark.req("H32")
def test_a_builder_that_cannot_be_seen_afterwards_is_missing() -> None:
    unseen: Inventory = an_inventory(unmeasured={"containers": "timed out"})
    rules = policy(required_builders=("ci",))
    now = a_scene(unseen, rules=rules)

    assert evidence.after(now, now, None).missing == ("required builder ci (unknown)",)


@pytest.mark.req("H14")
def test_a_prune_that_nobody_answered_for_is_told_by_what_is_left() -> None:
    before, now = cache(GB, GB), cache(GB)
    (step,) = plan_build_cache(before).steps

    outcome = seen(step, now, now, before=before)

    assert (outcome.outcome, outcome.freed_bytes) == ("failed", GB)
    assert outcome.detail == "It holds 1 GB now, 2 GB before. It is not tried again."


@pytest.mark.req("H14")
def test_a_prune_that_still_goes_on_is_unknown() -> None:
    (step,) = plan_build_cache(cache(GB, GB)).steps

    assert seen(step, cache(GB, GB), cache(GB)).outcome == "unknown"


@pytest.mark.req("H46")
@pytest.mark.req("H14")
def test_a_cache_with_a_record_of_unknown_size_tells_nothing() -> None:
    (step,) = plan_build_cache(cache(GB, GB)).steps

    assert seen(step, cache(GB, None), cache(GB, None)).outcome == "unknown"


def test_a_volume_of_the_same_name_that_is_younger_is_not_the_one_that_was_there() -> None:
    old = a_volume("data")
    assert old.created_at is not None
    anew = old.model_copy(update={"created_at": old.created_at + timedelta(days=1)})
    (step,) = plan_retire(a_scene(an_inventory(volumes=[old])), ["volume:data"]).steps

    assert seen(step, a_scene(an_inventory(volumes=[old]))).outcome == "skipped"
    assert seen(step, a_scene(an_inventory(volumes=[anew]))).outcome == "done"
    assert seen(step, a_scene()).outcome == "done"


@pytest.mark.parametrize("kind", ["image", "container"])
def test_what_is_gone_is_done_and_what_is_there_was_skipped(kind: str) -> None:
    image, other = an_old_image("app:1"), an_old_image("base:1")
    host = an_inventory([image, other], containers=[a_container("left-over", other, state="exited")])
    (step,) = plan_retire(a_scene(host), ["image:app:1" if kind == "image" else "container:left-over"]).steps

    assert seen(step, a_scene(host)).outcome == "skipped"
    assert seen(step, a_scene()).outcome == "done"


def test_a_list_that_cannot_be_read_leaves_it_unknown() -> None:
    (step,) = plan_retire(a_scene(an_inventory([an_old_image("app:1")])), ["image:app:1"]).steps

    assert seen(step, a_scene(an_inventory(unmeasured={"images": "timed out"}))).outcome == "unknown"


@pytest.mark.req("H32")
def test_what_was_protected_while_the_run_went_on_is_missed_as_well() -> None:
    then = a_scene(an_inventory([an_old_image("app:1")]))
    now = a_scene(rules=policy(protections=(ProtectionRule(kind="image", pattern="app:1", reason="still needed"),)))

    (missing,) = evidence.after(then, now, None).missing

    assert missing.startswith("protected image sha256:")
