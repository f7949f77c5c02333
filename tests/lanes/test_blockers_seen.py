"""Each thing that was seen or is missing from what is asked, and that blocks a lane's plan, one by one."""

from typing import Any, get_args

import pytest

from lanes.plan.scene import Asked, Operation
from tests.lanes.scenes import (
    ANOTHERS,
    LABELS,
    LANE,
    NO_DIRECTORY,
    NO_SERVICE,
    STOPPED,
    USER,
    a_baseline,
    a_directory,
    a_listing,
    a_runner,
    a_service,
    blocked_by,
    planned,
    seen,
    seen_nothing,
    verbs,
    wanted,
)

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
NEW = wanted(agent_id=None)


@pytest.mark.req("M20")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_directory_that_is_not_safe(operation: Operation) -> None:
    observed = seen(directory=a_directory(problem="it is a symbolic link"))
    found = planned(wanted(), observed, operation=operation)
    assert blocked_by(found) == {"unsafe_path"}
    assert found.blockers[0].summary == "Directory: it is a symbolic link."


@pytest.mark.req("M27")
@pytest.mark.req("M20")
@pytest.mark.req("L13")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", [LANE, LANE.upper()])
def test_a_runner_of_that_name_that_nobody_here_registered(name: str, operation: Operation) -> None:
    observed = seen_nothing(listing=a_listing(a_runner(id=ANOTHERS, name=name, online=False)))
    found = blocked_by(planned(NEW, observed, operation=operation))
    assert "unmanaged_runner" in found
    assert found <= {"unmanaged_runner", "work_unknown", "not_supervised"}


@pytest.mark.req("M32")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("row", [wanted(), NEW])
def test_a_directory_that_is_configured_for_another_runner(row: Any, operation: Operation) -> None:
    observed = seen_nothing(directory=a_directory(agent_id=ANOTHERS))
    assert blocked_by(planned(row, observed, operation=operation)) == {"stale_state"}


@pytest.mark.req("M32")
@pytest.mark.parametrize("operation", ["plan", "remove"])
def test_a_unit_of_that_name_that_nothing_proves_to_be_ours(operation: Operation) -> None:
    observed = seen_nothing(service=a_service(**STOPPED, ours=False))
    assert blocked_by(planned(NEW, observed, operation=operation)) == {"stale_state"}


@pytest.mark.req("M20")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_conflict_that_nobody_can_name(operation: Operation) -> None:
    observed = seen(listing=a_listing(a_runner(online=False)), directory=a_directory(**NO_DIRECTORY))
    assert blocked_by(planned(wanted(), observed, operation=operation)) == {"unknown_conflict"}


@pytest.mark.parametrize("part", ["listing", "directory", "service"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_part_that_was_not_read_blocks_with_its_reason(part: str, operation: Operation) -> None:
    observed = seen(**{part: None}, unmeasured={part: "the host did not answer"})
    found = planned(wanted(), observed, operation=operation)
    assert blocked_by(found) == {"not_measured"}
    assert found.blockers[0].summary == f"{part.capitalize()}: the host did not answer."


@pytest.mark.req("M17")
def test_a_part_of_a_listing_proves_no_absence() -> None:
    observed = seen_nothing(listing=a_listing(complete=False, total_count=150, why_incomplete="page 2 did not come"))
    found = planned(NEW, observed)
    assert blocked_by(found) == {"not_measured"}
    assert found.blockers[0].summary == "Listing: The listing is not complete: page 2 did not come."


@pytest.mark.req("M2")
@pytest.mark.req("M65")
@pytest.mark.parametrize("service", [a_service(**STOPPED), a_service(**NO_SERVICE)])
def test_a_runner_that_is_online_without_its_unit(service: Any) -> None:
    assert blocked_by(planned(wanted(), seen(service=service))) == {"runs_unsupervised"}


@pytest.mark.parametrize("observed", [seen_nothing(), seen(listing=a_listing())])
def test_a_restart_of_what_is_not_supervised(observed: Any) -> None:
    assert blocked_by(planned(wanted(), observed, operation="restart")) == {"not_supervised"}


@pytest.mark.req("M67")
def test_a_restart_of_a_lane_with_other_labels() -> None:
    observed = seen(listing=a_listing(a_runner(labels=LABELS[:-1])))
    found = planned(wanted(), observed, operation="restart")
    assert blocked_by(found) == {"labels_differ"}
    assert "Missing: cm-website." in found.blockers[0].summary


@pytest.mark.req("M33")
@pytest.mark.parametrize("operation", ["plan", "restart"])
@pytest.mark.parametrize("baseline", [None, a_baseline(disk=False), a_baseline(disk=None)])
def test_a_baseline_that_is_missing_or_not_ready(baseline: Any, operation: Operation) -> None:
    assert blocked_by(planned(wanted(), seen(baseline=baseline), operation=operation)) == {"baseline_not_ready"}


@pytest.mark.req("M33")
def test_a_baseline_of_no_checks_is_not_ready() -> None:
    empty = a_baseline().model_copy(update={"checks": {}})
    assert blocked_by(planned(wanted(), seen(baseline=empty))) == {"baseline_not_ready"}


@pytest.mark.req("M33")
def test_every_check_that_is_not_ready_is_named() -> None:
    found = planned(wanted(), seen(baseline=a_baseline(disk=False, docker_isolation=None)))
    assert [blocker.summary for blocker in found.blockers] == [
        "Baseline docker_isolation: docker_isolation is not so.",
        "Baseline disk: disk is not so.",
    ]


@pytest.mark.req("M35")
@pytest.mark.parametrize("baseline", [None, a_baseline(disk=False), a_baseline(disk=None)])
def test_a_create_is_planned_before_there_is_a_baseline(baseline: Any) -> None:
    assert blocked_by(planned(NEW, seen_nothing(baseline=baseline))) == set()


@pytest.mark.req("M35")
def test_a_unit_that_is_written_anew_may_bring_its_baseline() -> None:
    observed = seen(service=a_service(ours=False), baseline=a_baseline(docker_isolation=False))
    found = planned(wanted(), observed)
    assert blocked_by(found) == set()
    assert found.next_steps[-1] == "It is complete only with its baseline; not ready so far: docker_isolation."


def test_a_removal_needs_no_baseline() -> None:
    assert blocked_by(planned(wanted(), seen(baseline=None), operation="remove")) == set()


def test_a_host_without_the_programs() -> None:
    assert blocked_by(planned(wanted(), seen(control_path=False))) == {"control_path_missing"}


@pytest.mark.req("M34")
def test_a_change_without_an_idempotency_key() -> None:
    asked = Asked(mutates=True, confirmation=f"create {LANE}")
    assert blocked_by(planned(NEW, seen_nothing(), asked=asked)) == {"idempotency_key_missing"}


@pytest.mark.req("M34")
@pytest.mark.parametrize("phrase", ["", LANE, f"remove {LANE}", f"create {LANE}\n"])
def test_a_change_without_its_confirmation(phrase: str) -> None:
    asked = Asked(mutates=True, idempotency_key="k1", confirmation=phrase)
    assert blocked_by(planned(NEW, seen_nothing(), asked=asked)) == {"confirmation_missing"}


@pytest.mark.req("M34")
@pytest.mark.parametrize(
    ("operation", "phrase"), [("plan", f"reconcile {LANE}"), ("remove", f"remove {LANE}"), ("restart", "")]
)
def test_a_change_with_key_and_phrase(operation: Operation, phrase: str) -> None:
    asked = Asked(operation, mutates=True, idempotency_key="k1", confirmation=phrase)
    assert blocked_by(planned(asked=asked)) == set()


def test_a_dry_run_needs_neither_key_nor_phrase() -> None:
    assert blocked_by(planned(NEW, seen_nothing())) == set()


def test_text_of_a_host_is_shown_on_one_line() -> None:
    observed = seen(service=a_service(process_user=f"{USER}\x1b[2J\n" + "x" * 900))
    summary = planned(wanted(), observed).blockers[0].summary
    assert summary.isprintable()
    assert len(summary) < 400


@pytest.mark.req("M33", "M35")
def test_labels_that_the_plan_itself_sets_need_not_be_right_before() -> None:
    wrong = a_listing(a_runner(labels=LABELS[:-1]))
    plan = planned(wanted(), seen(listing=wrong, baseline=a_baseline(labels=False)))
    assert (blocked_by(plan), verbs(plan)) == (set(), ["set-labels"])
    assert blocked_by(planned(wanted(), seen(listing=wrong, baseline=a_baseline(labels=False, disk=False)))) == {
        "baseline_not_ready"
    }
