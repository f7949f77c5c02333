"""Each thing that blocks a lane's plan, one by one, on a lane that nothing else stands against."""

from typing import Any, get_args

import pytest

from lanes.plan.codes import NEXT_STEPS, Code
from lanes.plan.scene import Asked, Operation
from tests.lanes.scenes import (
    ANOTHERS,
    EMPTY_DIRECTORY,
    HOST,
    LABELS,
    LANE,
    NO_DIRECTORY,
    NO_SERVICE,
    SCOPE,
    STOPPED,
    USER,
    a_baseline,
    a_directory,
    a_grant,
    a_host,
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


def test_nothing_blocks_a_lane_that_is_as_it_must_be() -> None:
    for operation in OPERATIONS:
        assert blocked_by(planned(operation=operation)) == set()


def test_every_blocker_has_a_next_step() -> None:
    assert set(NEXT_STEPS) == set(get_args(Code))


def test_a_blocked_plan_has_the_next_step_of_each_blocker_once() -> None:
    plan = planned(host=a_host(approved=False), grants=())
    assert plan.next_steps == (NEXT_STEPS["host_not_approved"], NEXT_STEPS["repository_not_allowed"])


# --- record, host, grant ---------------------------------------------------------------------------------------------


@pytest.mark.req("M11")
def test_a_lane_that_is_not_managed() -> None:
    assert blocked_by(planned(wanted(managed=False))) == {"not_managed"}


@pytest.mark.req("M23")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("grants", [(), (a_grant(scope="cbusillo/another"),), (a_grant(scope="cbusillo"),)])
def test_a_repository_that_is_not_allowed_on_the_host(operation: Operation, grants: Any) -> None:
    assert blocked_by(planned(grants=grants, operation=operation)) == {"repository_not_allowed"}


@pytest.mark.req("M23")
def test_a_grant_on_another_host_allows_nothing_here() -> None:
    assert blocked_by(planned(grants=(a_grant(host_name="another"),))) == {"repository_not_allowed"}


@pytest.mark.req("M36")
def test_a_grant_in_another_case_is_the_same_grant() -> None:
    assert blocked_by(planned(grants=(a_grant(scope=SCOPE.upper()),))) == set()


@pytest.mark.req("L3")
def test_one_lane_more_than_the_grant_allows() -> None:
    beside = (
        wanted(lane_name="second", service_user="lane-other", systemd_unit_name="launchplane-runner@second.service"),
    )
    assert blocked_by(planned(NEW, seen_nothing(), beside=beside, grants=(a_grant(max_lanes=2),))) == set()
    assert blocked_by(planned(NEW, seen_nothing(), beside=beside, grants=(a_grant(max_lanes=1),))) == {"too_many_lanes"}


@pytest.mark.req("M24")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_host_that_is_not_approved(operation: Operation) -> None:
    assert blocked_by(planned(host=a_host(approved=False), operation=operation)) == {"host_not_approved"}


@pytest.mark.req("L17")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_host_without_lanes(operation: Operation) -> None:
    assert blocked_by(planned(host=a_host(lanes_enabled=False), operation=operation)) == {"lanes_not_enabled"}


@pytest.mark.req("M25")
@pytest.mark.parametrize("roots", [(), ("/srv/others",), ("/srv",), ("/srv/runners/",)])
def test_a_root_outside_of_those_of_the_host(roots: tuple[str, ...]) -> None:
    assert blocked_by(planned(host=a_host(runner_roots=roots))) == {"root_not_allowed"}


@pytest.mark.req("M26")
def test_a_record_without_the_managed_label() -> None:
    labels = tuple(label for label in LABELS if label != "launchplane-managed")
    found = blocked_by(planned(wanted(labels=labels), seen(listing=a_listing(a_runner(labels=labels)))))
    assert found == {"managed_label_missing"}


@pytest.mark.req("M12")
@pytest.mark.parametrize("missing", ["self-hosted", "launchplane", HOST])
def test_a_record_without_one_of_the_labels_that_every_lane_has(missing: str) -> None:
    labels = tuple(label for label in LABELS if label != missing)
    found = blocked_by(planned(wanted(labels=labels), seen(listing=a_listing(a_runner(labels=labels)))))
    assert found == {"required_label_missing"}


@pytest.mark.req("M28")
@pytest.mark.req("M36")
@pytest.mark.parametrize("name", [LANE, LANE.upper()])
@pytest.mark.parametrize("where", [{}, {"host_name": "another"}, {"scope": "cbusillo/another"}])
def test_another_lane_of_that_name_wherever_it_is(name: str, where: dict[str, str]) -> None:
    beside = (wanted(lane_name=name, service_user="lane-other", **where),)
    assert blocked_by(planned(beside=beside)) == {"duplicate_lane"}


@pytest.mark.req("M28")
@pytest.mark.req("L24")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_two_runners_of_that_name_at_github(operation: Operation) -> None:
    listing = a_listing(a_runner(), a_runner(id=ANOTHERS, name=LANE.upper()))
    found = planned(wanted(), seen(listing=listing), operation=operation)
    assert blocked_by(found) == {"duplicate_lane"}
    assert found.blockers[0].summary == "Listing: GitHub lists 2 runners of that name: 42, 77."


@pytest.mark.req("M29")
def test_a_service_user_that_the_host_does_not_have() -> None:
    assert blocked_by(planned(host=a_host(service_users=frozenset({"lane-other"})))) == {"service_user_mismatch"}


@pytest.mark.req("M29")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_process_that_runs_as_another_user(operation: Operation) -> None:
    observed = seen(service=a_service(process_user="root"))
    assert blocked_by(planned(wanted(), observed, operation=operation)) == {"service_user_mismatch"}


@pytest.mark.req("M29")
@pytest.mark.parametrize("owner", ["root", ""])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_directory_that_belongs_to_another_user(owner: str, operation: Operation) -> None:
    observed = seen(directory=a_directory(owner=owner))
    assert blocked_by(planned(wanted(), observed, operation=operation)) == {"service_user_mismatch"}


@pytest.mark.req("M29")
def test_an_empty_directory_that_belongs_to_another_user_blocks_a_create() -> None:
    directory = a_directory(**(EMPTY_DIRECTORY | {"owner": "lane-other"}))
    assert blocked_by(planned(NEW, seen_nothing(directory=directory))) == {"service_user_mismatch"}


def test_a_process_whose_user_nobody_read() -> None:
    assert blocked_by(planned(wanted(), seen(service=a_service(process_user="")))) == {"not_measured"}


def test_a_user_that_another_lane_of_the_host_has() -> None:
    beside = (wanted(lane_name="second"),)
    assert blocked_by(planned(beside=beside)) == {"service_user_shared"}
    assert blocked_by(planned(beside=(wanted(lane_name="second", host_name="another"),))) == set()


@pytest.mark.req("M30")
@pytest.mark.parametrize("unit", ["ssh.service", "launchplane-runner@another.service", ""])
def test_a_record_with_another_unit(unit: str) -> None:
    found = planned(wanted(systemd_unit_name=unit), seen(service=a_service(unit=unit)))
    assert blocked_by(found) == {"unit_mismatch"}


@pytest.mark.req("M30")
@pytest.mark.parametrize("different", [{"exec_start": "/opt/run.sh"}, {"working_directory": "/"}])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_unit_that_runs_something_else(different: dict[str, str], operation: Operation) -> None:
    found = blocked_by(planned(wanted(), seen(service=a_service(**different)), operation=operation))
    assert found == {"unit_mismatch"}


@pytest.mark.req("M30")
def test_a_unit_that_is_not_as_written_here_is_written_again_and_not_restarted_as_it_is() -> None:
    drifted = seen(service=a_service(ours=False))
    assert blocked_by(planned(wanted(), drifted, operation="restart")) == {"unit_mismatch"}
    assert verbs(planned(wanted(), drifted)) == ["install-unit", "daemon-reload", "restart"]


@pytest.mark.req("M31")
@pytest.mark.req("M20")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lane_name", "Upper"),
        ("lane_name", "../etc"),
        ("lane_name", "a\nb"),
        ("lane_name", "%n"),
        ("lane_name", "a" * 300),
        ("scope", "cbusillo"),
        ("scope", "cbusillo/../another"),
        ("service_user", "root"),
        ("labels", (*LABELS, "a,b")),
        ("labels", (*LABELS, "a\nb")),
    ],
)
def test_a_name_that_is_unsafe(field: str, value: Any) -> None:
    found = planned(wanted(**{field: value}))
    if value != "cbusillo":
        assert "unsafe_name" in blocked_by(found)
        assert all(blocker.summary.isprintable() and len(blocker.summary) < 250 for blocker in found.blockers)
    else:
        assert "unsafe_name" not in blocked_by(found)


@pytest.mark.req("M31")
@pytest.mark.req("M20")
@pytest.mark.parametrize(
    "root", ["/srv/runners/../../etc", "srv/runners", "/srv//runners", "/srv/runners/", "/srv/%h", ""]
)
def test_a_root_that_leads_elsewhere_even_if_the_host_lists_it(root: str) -> None:
    found = blocked_by(planned(wanted(registration_root=root), host=a_host(runner_roots=(root,))))
    assert {"unsafe_path", "root_not_allowed"} <= found


def test_a_lane_of_another_host() -> None:
    from dataclasses import replace

    from lanes.plan.assemble import plan_lane
    from tests.lanes.scenes import scene

    found = blocked_by(plan_lane(replace(scene(), host=a_host(name="another"))))
    assert found == {"another_host", "repository_not_allowed"}


# --- what was seen ---------------------------------------------------------------------------------------------------


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


# --- asking ----------------------------------------------------------------------------------------------------------


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
