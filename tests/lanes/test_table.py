"""Invariants over every combination: one shape, one answer, and what no combination may ever lead to."""

from collections import Counter
from itertools import product
from typing import get_args

import pytest

from lanes.contracts import Action, Shape
from lanes.plan.assemble import nothing_to_do, plan_lane
from lanes.plan.verbs import INTERRUPTING, UNREGISTERING, WAYS
from launchplane.canonical import canonical
from tests.lanes.scenes import LABELS, LANE, OURS
from tests.lanes.table import LISTINGS, Line, believed, table

# the three places as they can each be believed; everything else is a conflict
BELIEVED = {"none": "none", "ours, idle": "ours", "ours, busy": "ours", "ours, offline": "ours"} | {
    "ours, offline and busy": "ours",
    "ours, a label missing": "ours",
    "another's": "another's",
}
RUNS = ("active", "active, a job", "active, uncounted", "active, old text")
STANDS = ("stopped", "stopped, uncounted", "activating")


def with_steps() -> list[Line]:
    return [line for line in table() if line.verbs]


def words(line: Line) -> tuple[str, str, str]:
    """What GitHub, the directory and the unit say of whose the lane is; "?" is what nobody can believe."""
    row, github, folder, unit = line.facts[:4]
    registration = BELIEVED.get(github, "?")
    if row == "never registered":
        # nothing is ours then: neither a registration nor a configured directory
        registration = "none" if github == "ours, renamed" else registration.replace("ours", "another's")
        folder = folder.replace("ours", "another's")
    if folder in ("unread", "a link", "another's"):
        folder = "?"
    state = "runs" if unit in RUNS else "stands" if unit in STANDS else unit
    return registration, folder, state if state in ("none", "runs", "stands") else "?"


def expected_shape(line: Line) -> Shape:
    """Said in other words than in the code: one shape after the other."""
    registration, folder, unit = words(line)
    if "?" in (registration, folder, unit):
        return "unknown_conflict"
    if (registration, folder, unit) in product(["ours"], ["ours"], ["runs", "stands"]):
        active: Shape = "supervised_active" if unit == "runs" else "supervised_inactive"
        return "mismatched_labels" if line.facts[1] == "ours, a label missing" else active
    if registration == "none":
        return "absent" if folder != "ours" and unit == "none" else "local_service_only"
    another_on_host = registration == "another's" and folder == "ours"
    return "github_only" if unit == "none" and not another_on_host else "unknown_conflict"


@pytest.mark.req("M17")
def test_every_combination_has_the_one_shape_that_it_must_have() -> None:
    assert [line.facts for line in table() if line.shape != expected_shape(line)] == []


@pytest.mark.req("M15")
@pytest.mark.req("M16")
def test_every_combination_has_one_answer() -> None:
    assert {line.action for line in table()} == {*get_args(Action), None}
    assert {line.shape for line in table()} == set(get_args(Shape))
    assert [line.facts for line in table() if (line.action is None) != bool(line.codes)] == []


@pytest.mark.req("M17")
def test_absent_is_said_only_of_what_was_proven_absent_in_all_three_places() -> None:
    for line in table():
        if line.shape == "absent":
            assert believed(line.listing), line.facts
            assert line.directory is not None, line.facts
            assert not line.directory.configured, line.facts
            assert line.service is not None, line.facts
            assert not line.service.exists, line.facts


def test_nothing_is_done_while_a_place_is_unread() -> None:
    unread = [line for line in table() if not believed(line.listing) or None in (line.directory, line.service)]
    assert len(unread) > 10_000
    assert [line.facts for line in unread if line.verbs or line.action or "not_measured" not in line.codes] == []


@pytest.mark.req("M27")
def test_nothing_is_created_where_a_runner_of_that_name_may_be() -> None:
    created = [line for line in with_steps() if "ask-token" in line.verbs or "configure" in line.verbs]
    assert created
    for line in created:
        assert believed(line.listing), line.facts
        assert line.listing is not None, line.facts
        named = [runner for runner in line.listing.runners if runner.name.lower() == LANE]
        assert not named or ("remove-registration" in line.verbs and named == [line.runner]), line.facts


@pytest.mark.req("X11")
@pytest.mark.req("L13")
@pytest.mark.req("M71")
def test_nothing_that_is_there_is_touched_unless_it_is_ours() -> None:
    """Each id that can be read is the row's; where none can, there is nothing but a unit exactly as written here."""
    for line in with_steps():
        assert not line.directory or line.agent_id in (None, line.row.agent_id), line.facts
        assert line.listing is not None, line.facts
        named = [runner for runner in line.listing.runners if runner.name.lower() == LANE]
        assert named in ([], [line.runner]), line.facts
        if line.service is not None and line.service.exists and line.agent_id is None:
            assert line.service.ours, line.facts
            assert not named, line.facts


@pytest.mark.req("X11")
def test_what_is_adopted_or_restarted_is_ours_by_all_three_ids() -> None:
    touched = [line for line in with_steps() if line.action in ("adopt", "restart")]
    assert {line.action for line in touched} == {"adopt", "restart"}
    for line in touched:
        assert line.runner is not None, line.facts
        assert line.row.agent_id == line.runner.id == line.agent_id == OURS, line.facts


@pytest.mark.req("L24")
def test_nothing_is_interrupted_unless_no_job_is_proven_by_both_witnesses() -> None:
    interrupted = [line for line in with_steps() if INTERRUPTING.intersection(line.verbs)]
    assert {"stop", "restart", "unconfigure", "unconfigure-here", "remove-registration"} == {
        verb for line in interrupted for verb in line.verbs if verb in INTERRUPTING
    }
    for line in interrupted:
        assert line.service is not None, line.facts
        assert line.service.workers == 0, line.facts
        if line.runner is not None and line.runner.online:
            assert not line.runner.busy, line.facts
            assert line.service.active_state == "active", line.facts


@pytest.mark.req("L24")
def test_no_registration_is_taken_back_while_github_counts_a_job_on_it() -> None:
    for line in with_steps():
        if UNREGISTERING.intersection(line.verbs):
            assert line.runner is not None, line.facts
            assert not line.runner.busy, line.facts
            assert line.condition != "offline_busy", line.facts


@pytest.mark.req("L3")
@pytest.mark.req("M23")
def test_without_a_grant_nothing_is_done() -> None:
    assert [line.facts for line in table() if line.grant is None and "repository_not_allowed" not in line.codes] == []
    assert [line.facts for line in with_steps() if line.grant is None] == []


@pytest.mark.req("L3")
def test_a_grant_that_is_full_adds_no_lane_and_lets_those_be_restarted_and_removed_that_are_there() -> None:
    full = [line for line in with_steps() if line.grant is not None and line.grant.max_lanes == 0]
    assert {line.action for line in full} == {"reconcile", "restart", "remove"}


@pytest.mark.req("M33")
def test_what_runs_under_its_unit_is_left_so_only_with_its_baseline() -> None:
    for line in table():
        runs = line.service is not None and line.service.active_state == "active"
        if line.action not in (None, "remove") and runs and "install-unit" not in line.verbs:
            assert line.baseline is not None, line.facts
            assert line.baseline.ready, line.facts


@pytest.mark.req("M35")
def test_no_create_is_blocked_by_a_baseline() -> None:
    absent = [line for line in table() if line.shape == "absent" and line.operation == "plan"]
    assert absent
    assert [line.facts for line in absent if "baseline_not_ready" in line.codes] == []


@pytest.mark.req("M61")
def test_a_registration_token_is_for_configuring_and_a_remove_token_for_a_removal() -> None:
    for line in with_steps():
        assert ("ask-token" in line.verbs) == ("configure" in line.verbs), line.facts
        assert ("ask-remove-token" in line.verbs) == ("unconfigure" in line.verbs), line.facts
        assert "ask-remove-token" not in line.verbs or line.action == "remove", line.facts
        assert line.action != "restart" or "ask-token" not in line.verbs, line.facts


@pytest.mark.req("M60")
def test_the_order_is_token_then_config_sh_then_helper() -> None:
    making = ["fetch", "ask-token", "configure", "install-unit", "daemon-reload", "enable-now"]
    for line in with_steps():
        if "configure" in line.verbs:
            assert [verb for verb in line.verbs if verb in making] == making, line.facts


def test_nothing_is_unconfigured_while_its_unit_may_run() -> None:
    for line in with_steps():
        if {"unconfigure", "unconfigure-here"}.intersection(line.verbs) and line.service and line.service.exists:
            before = line.verbs[: next(i for i, verb in enumerate(line.verbs) if verb.startswith("unconfigure"))]
            assert "stop" in before, line.facts


def test_no_verb_comes_twice_and_every_verb_is_used() -> None:
    for line in with_steps():
        assert max(Counter(line.verbs).values()) == 1, line.facts
    assert {verb for line in with_steps() for verb in line.verbs} == set(WAYS)


@pytest.mark.req("M65")
def test_what_is_online_without_its_unit_is_left_alone() -> None:
    for line in with_steps():
        if line.runner is not None and line.runner.online:
            assert line.service is not None, line.facts
            assert line.service.active_state == "active", line.facts


def test_there_is_nothing_to_do_only_where_all_is_as_wanted_or_gone() -> None:
    idle = [line for line in table() if not line.verbs and not line.codes]
    assert {line.shape for line in idle} == {"absent", "supervised_active"}
    for line in idle:
        if line.shape == "absent":
            assert line.operation == "remove", line.facts
        else:
            assert line.runner is not None, line.facts
            assert line.runner.online, line.facts
            assert set(line.runner.labels) >= set(LABELS), line.facts
            assert line.service is not None, line.facts
            assert line.service.ours, line.facts
            assert line.condition in ("none", "offline_busy"), line.facts


def test_a_lane_whose_registration_another_process_uses_is_left_alone() -> None:
    conflicts = [line for line in table() if line.condition == "session_conflict" and line.runner is not None]
    named = {name for name in LISTINGS if name.startswith("ours") and name != "ours, renamed"}
    assert {line.facts[1] for line in conflicts if "session_conflict" in line.codes} == named
    assert [line.facts for line in conflicts if line.verbs] == []


@pytest.mark.req("M18")
@pytest.mark.req("M21")
def test_every_answer_becomes_a_plan_that_is_ready_or_blocked_and_never_completed() -> None:
    """One line for each answer that there is: what is left of a plan follows from it."""
    answers = {(line.shape, line.action, line.verbs, line.codes): line for line in table()}
    assert len(answers) > 100
    for line in answers.values():
        plan = plan_lane(line.scene)
        assert plan.status == ("blocked" if line.codes else "ready"), line.facts
        assert tuple(step.verb for step in plan.steps) == line.verbs, line.facts
        assert [step.position for step in plan.steps] == list(range(1, len(plan.steps) + 1)), line.facts
        assert bool(plan.next_steps) == bool(plan.steps or plan.blockers), line.facts
        assert (nothing_to_do(plan) is None) == bool(plan.steps or plan.blockers), line.facts
        assert sum(call.at_most for call in plan.boundary.calls) == len(plan.steps), line.facts
        assert plan.facts["action"] == line.action, line.facts
        assert line.action is None or plan.kind == f"lane.{line.action}", line.facts
        assert b"completed" not in canonical(plan), line.facts
