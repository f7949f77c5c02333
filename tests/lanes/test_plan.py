"""What people approve: the steps with what must hold before each, the boundary, the bounds, what comes next."""

import json
from typing import Any

import pytest

from lanes.plan.assemble import nothing_to_do
from lanes.plan.decide import phrase_of
from lanes.plan.verbs import WAYS
from launchplane.canonical import canonical
from launchplane.changes.contracts import PlannedStep
from tests.lanes.scenes import (
    LABELS,
    LANE,
    OURS,
    PLACE,
    SCOPE,
    STOPPED,
    UNIT,
    USER,
    a_baseline,
    a_host,
    a_listing,
    a_runner,
    a_service,
    planned,
    seen,
    seen_nothing,
    verbs,
    wanted,
)

NEW = wanted(agent_id=None)


def step(name: str, *arguments: Any, **different: Any) -> PlannedStep:
    return next(found for found in planned(*arguments, **different).steps if found.verb == name)


@pytest.mark.req("M19")
@pytest.mark.req("M60")
def test_zero_runners_and_no_unit_is_a_create_in_the_order_of_token_config_sh_and_helper() -> None:
    plan = planned(NEW, seen_nothing())
    assert plan.kind == "lane.create"
    assert verbs(plan) == ["fetch", "ask-token", "configure", "install-unit", "daemon-reload", "enable-now"]


@pytest.mark.req("M71")
def test_a_removal_takes_the_unit_away_before_the_registration() -> None:
    plan = planned(operation="remove")
    assert plan.kind == "lane.remove"
    assert verbs(plan) == ["stop", "disable", "remove-unit", "daemon-reload", "ask-remove-token", "unconfigure"]


@pytest.mark.req("M71")
def test_a_restart_of_a_lane_that_would_not_start_at_boot_mends_that() -> None:
    assert verbs(planned(operation="restart")) == ["restart"]
    disabled = seen(service=a_service(enabled=False))
    assert verbs(planned(wanted(), disabled, operation="restart")) == ["restart", "enable-now"]


@pytest.mark.req("M63")
def test_a_lane_that_would_not_start_at_boot_is_set_right() -> None:
    assert verbs(planned(wanted(), seen(service=a_service(enabled=False)))) == ["enable-now"]


def test_wrong_labels_are_set_without_a_restart() -> None:
    runner = a_runner(labels=("self-hosted", "Linux", "other"))
    labelling = step("set-labels", wanted(), seen(listing=a_listing(runner)))
    assert labelling.target == f"{SCOPE}/{OURS}"
    assert labelling.expected["labels_seen"] == ("Linux", "other", "self-hosted")
    assert labelling.expected["labels"] == LABELS


def test_a_stopped_lane_with_an_old_unit_gets_a_new_one_and_is_started() -> None:
    observed = seen(listing=a_listing(a_runner(online=False)), service=a_service(**STOPPED, ours=False))
    assert verbs(planned(wanted(), observed)) == ["install-unit", "daemon-reload", "enable-now"]


@pytest.mark.req("M60")
def test_a_registration_is_expected_to_be_nobodys_and_replaces_nobody() -> None:
    configure = step("configure", NEW, seen_nothing())
    assert configure.target == PLACE
    assert configure.expected == {
        "directory": PLACE,
        "service_user": USER,
        "scope": SCOPE,
        "lane_name": LANE,
        "runners_of_that_name": 0,
        "labels": LABELS,
        "updates_itself": True,
        "configured": False,
        "replace": False,
    }


@pytest.mark.req("M2")
def test_the_only_ways_to_start_a_runner_are_its_units() -> None:
    starting = {way.call for verb, way in WAYS.items() if verb in ("enable-now", "restart")}
    assert starting == {"launchplane-unit enable-now", "launchplane-unit restart"}
    assert not any("run.sh" in way.call for way in WAYS.values())


@pytest.mark.req("M47")
def test_what_is_done_to_units_is_done_by_root_and_what_is_done_to_runners_never() -> None:
    by_program = {(way.call.split()[0], way.user) for way in WAYS.values()}
    assert by_program == {("launchplane-unit", "root"), ("launchplane-runner", "service user"), ("github", "GitHub")}


@pytest.mark.req("X11")
def test_what_is_interrupted_is_expected_to_be_ours_and_idle() -> None:
    for verb, operation in (("restart", "restart"), ("stop", "remove")):
        expected = step(verb, operation=operation).expected
        assert expected["agent_id"] == OURS
        assert expected["job"] == "none"
        assert expected["unit"] == UNIT


def test_a_registration_is_taken_back_only_offline_and_idle() -> None:
    observed = seen_nothing(listing=a_listing(a_runner(online=False)))
    expected = step("remove-registration", wanted(), observed, operation="remove").expected
    assert (expected["agent_id"], expected["online"], expected["busy"]) == (OURS, False, False)


def test_every_step_says_why_and_how_to_get_back() -> None:
    for found in (*planned(NEW, seen_nothing()).steps, *planned(operation="remove").steps):
        assert str(found.undo["why"]).endswith(".")
        assert str(found.undo["in_words"]).endswith(".")
        assert found.title


@pytest.mark.req("L8")
def test_a_removal_says_that_the_registration_is_lost() -> None:
    assert step("unconfigure", operation="remove").reversible == "no"
    assert step("stop", operation="remove").reversible == "yes"


@pytest.mark.req("L15")
def test_the_boundary_names_host_users_way_and_each_call_once() -> None:
    boundary = planned(NEW, seen_nothing()).boundary
    assert boundary.host == "chris-testing"
    assert boundary.user == f"root, {USER}, Launchplane at GitHub"
    assert boundary.through == a_host().through
    assert [(call.name, call.at_most) for call in boundary.calls] == [
        ("launchplane-runner fetch", 1),
        ("github registration-token", 1),
        ("launchplane-runner configure", 1),
        ("launchplane-unit install-or-update-unit", 1),
        ("launchplane-unit daemon-reload", 1),
        ("launchplane-unit enable-now", 1),
    ]
    assert "Remove the lane" in boundary.rollback


@pytest.mark.req("M4")
def test_a_blocked_plan_needs_no_call_and_nobodys_rights() -> None:
    boundary = planned(host=a_host(approved=False)).boundary
    assert boundary.calls == ()
    assert boundary.user == ""
    assert boundary.rollback == "Nothing is done, so there is nothing to take back."


@pytest.mark.req("L13")
def test_the_plan_says_what_no_step_touches() -> None:
    assert planned().protections == (
        f"every other runner of {SCOPE}",
        f"every unit of chris-testing but {UNIT}",
        f"every folder of chris-testing but {PLACE}",
    )


def test_a_lane_that_is_as_wanted_has_nothing_to_do() -> None:
    plan = planned()
    assert (plan.steps, plan.blockers, plan.next_steps) == ((), (), ())
    assert nothing_to_do(plan) == f"Nothing to do: {LANE} is as its record wants it."


@pytest.mark.req("L6")
def test_a_removal_of_what_is_gone_has_nothing_to_do() -> None:
    assert nothing_to_do(planned(wanted(), seen_nothing(), operation="remove")) == (
        f"Nothing to do: {LANE} is gone already."
    )


def test_a_blocked_plan_is_not_called_nothing_to_do() -> None:
    assert nothing_to_do(planned(host=a_host(approved=False))) is None


@pytest.mark.parametrize(
    ("action", "phrase"), [("create", f"create {LANE}"), ("remove", f"remove {LANE}"), ("restart", None)]
)
def test_all_but_a_restart_is_confirmed_by_a_phrase(action: Any, phrase: str | None) -> None:
    assert phrase_of(action, LANE) == phrase


@pytest.mark.req("M18")
def test_a_ready_plan_says_what_comes_next() -> None:
    plan = planned(NEW, seen_nothing(baseline=a_baseline(docker_isolation=None)))
    assert plan.next_steps == (
        f"Ask for it with a reason; another person looks at it and types “create {LANE}”.",
        "It is complete only with its baseline; not ready so far: docker_isolation.",
    )


@pytest.mark.req("M14")
def test_the_facts_of_a_plan_are_what_was_wanted_and_seen() -> None:
    facts: Any = json.loads(canonical(planned()))["facts"]
    assert (facts["action"], facts["shape"], facts["condition"]) == ("reconcile", "supervised_active", "none")
    assert facts["desired"]["service_user"] == USER
    assert facts["observed"]["runner"]["id"] == OURS
    assert facts["observed"]["directory"]["agent_id"] == OURS
    assert facts["observed"]["service"]["unit"] == UNIT
    assert facts["observed"]["baseline"]["checks"]["disk"] is True
    assert facts["observed"]["runners_listed"] == 2


@pytest.mark.req("M22")
def test_the_facts_of_a_plan_hold_no_other_runner_of_the_scope() -> None:
    assert b'"other"' not in canonical(planned())


@pytest.mark.req("X1")
def test_the_same_scene_gives_the_same_bytes() -> None:
    assert canonical(planned(NEW, seen_nothing())) == canonical(planned(NEW, seen_nothing()))
