"""Each thing in a record, a host or a grant that blocks a lane's plan, one by one."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from lanes.plan.assemble import plan_lane
from lanes.plan.codes import NEXT_STEPS, Code
from lanes.plan.scene import Operation
from tests.lanes.scenes import (
    ANOTHERS,
    EMPTY_DIRECTORY,
    HOST,
    LABELS,
    LANE,
    SCOPE,
    a_directory,
    a_grant,
    a_host,
    a_listing,
    a_runner,
    a_service,
    blocked_by,
    planned,
    scene,
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
        ("scope", "cbusillo/../another"),
        ("service_user", "root"),
        ("labels", (*LABELS, "a,b")),
        ("labels", (*LABELS, "a\nb")),
    ],
)
def test_a_name_that_is_unsafe(field: str, value: Any) -> None:
    found = planned(wanted(**{field: value}))
    assert "unsafe_name" in blocked_by(found)
    assert all(blocker.summary.isprintable() and len(blocker.summary) < 250 for blocker in found.blockers)


@pytest.mark.req("M31")
@pytest.mark.req("M20")
@pytest.mark.parametrize(
    "root", ["/srv/runners/../../etc", "srv/runners", "/srv//runners", "/srv/runners/", "/srv/%h", ""]
)
def test_a_root_that_leads_elsewhere_even_if_the_host_lists_it(root: str) -> None:
    found = blocked_by(planned(wanted(registration_root=root), host=a_host(runner_roots=(root,))))
    assert {"unsafe_path", "root_not_allowed"} <= found


def test_a_lane_of_another_host() -> None:
    found = blocked_by(plan_lane(replace(scene(), host=a_host(name="another"))))
    assert found == {"another_host", "repository_not_allowed"}
