"""What two measurements come to: counts decide, and what was not measured proves nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hygiene.proof.contracts import Budget, Build, CleanUp, Measurement, Pull, Redeployment
from hygiene.proof.verdict import judge
from launchplane.problems import Problem

pytestmark = pytest.mark.req("H33")


def a_pull(**fields: Any) -> Pull:
    figures: dict[str, Any] = {
        "image": "app:1",
        "image_id": "sha256:1",
        "state": "warm",
        "duration_ms": 20,
        "layers_loaded": 0,
        "layers_already_there": 3,
        "layers_shared": 2,
        "manifest_checks": 1,
        "unmeasured": {},
    }
    return Pull.model_validate(figures | fields)


def a_build(run: int | None = 0) -> Build:
    cached = None if run is None else 2 - run
    return Build(duration_ms=300, steps_run=run, steps_cached=cached, unmeasured={})


def measured(**fields: Any) -> Measurement:
    budget = Budget(limit=200, window_seconds=21600, counted=None, left=None)
    figures: dict[str, Any] = {
        "engine_id": "E",
        "image": "app:1",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "cold": None,
        "warm": a_pull(),
        "build": a_build(),
        "budget": budget,
        "unmeasured": {},
    }
    return Measurement.model_validate(figures | fields)


def a_clean_up(**fields: Any) -> CleanUp:
    figures: dict[str, Any] = {
        "change": "1",
        "kind": "hygiene.dangling",
        "status": "completed",
        "requested_by": "operator",
        "approved_by": "approver",
        "items_done": 2,
        "freed_bytes": 10,
        "sentence": "2 done.",
    }
    return CleanUp.model_validate(figures | fields)


def test_no_layer_and_no_step_on_either_side_holds() -> None:
    verdict = judge(measured(), measured(), clean_ups=[a_clean_up()])

    assert verdict.outcome == "holds"
    assert (verdict.pull_percent, verdict.build_percent) == (100, 100)


def test_slower_is_told_and_decides_nothing() -> None:
    verdict = judge(measured(), measured(warm=a_pull(duration_ms=200)))

    assert (verdict.outcome, verdict.pull_percent) == ("holds", 1000)


@pytest.mark.parametrize(
    ("before", "after", "outcome", "why"),
    [
        ({}, {"warm": a_pull(layers_loaded=1)}, "fails", "after the clean-up loaded 1 layer"),
        ({}, {"cold": a_pull(state="cold", layers_loaded=3)}, "fails", "was gone after the clean-up"),
        ({}, {"build": a_build(2)}, "fails", "had to run 2 steps again"),
        ({"warm": a_pull(layers_loaded=2)}, {}, "not_proven", "before the clean-up loaded 2 layers"),
        ({"build": a_build(1)}, {"build": a_build(1)}, "not_proven", "The builder was not warm"),
        ({}, {"warm": a_pull(layers_loaded=None)}, "not_proven", "could not be counted"),
        ({}, {"warm": a_pull(image_id="sha256:2")}, "not_proven", "another image under app:1"),
        ({}, {"build": None}, "not_proven", "could not be counted on both sides"),
        ({}, {"build": a_build(None)}, "not_proven", "could not be counted on both sides"),
    ],
)
def test_what_does_not_hold_says_why(before: dict[str, Any], after: dict[str, Any], outcome: str, why: str) -> None:
    verdict = judge(measured(**before), measured(**after))

    assert verdict.outcome == outcome
    assert why in " ".join(verdict.reasons)


def test_without_any_build_the_pull_alone_is_proven() -> None:
    verdict = judge(measured(build=None), measured(build=None))

    assert (verdict.outcome, verdict.build_percent) == ("holds", None)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "failed", "sentence": "1 of 2 items failed."}, "1 of 2 items failed."),
        ({"items_done": 0}, "at stake"),
    ],
)
def test_a_clean_up_that_did_nothing_proves_nothing(fields: dict[str, Any], why: str) -> None:
    verdict = judge(measured(), measured(), clean_ups=[a_clean_up(**fields)])

    assert verdict.outcome == "not_proven"
    assert why in " ".join(verdict.reasons)


@pytest.mark.req("P23")
@pytest.mark.parametrize(
    ("kept", "runs", "loaded", "outcome"),
    [(True, True, 0, "holds"), (False, True, 3, "fails"), (True, False, 0, "fails"), (True, True, 1, "fails")],
)
def test_a_service_has_to_run_again_from_what_was_there(kept: bool, runs: bool, loaded: int, outcome: str) -> None:
    seen = Redeployment(image_kept=kept, runs_again=runs, layers_loaded=loaded, manifest_checks=1)

    assert judge(measured(), measured(), redeployment=seen).outcome == outcome


@pytest.mark.parametrize("other", [{"engine_id": "F"}, {"image": "app:2"}])
def test_two_engines_or_images_are_not_compared(other: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="different engines, or with different images"):
        judge(measured(), measured(**other))
