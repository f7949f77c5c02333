"""Whether a job runs: both witnesses must say no, and who says nothing does not say no."""

from typing import Any

import pytest

from lanes.parts import parts_of
from lanes.plan.scene import Operation
from lanes.work import work_on
from tests.lanes.scenes import (
    NO_DIRECTORY,
    NO_SERVICE,
    STOPPED,
    a_directory,
    a_listing,
    a_runner,
    a_service,
    blocked_by,
    planned,
    seen,
    wanted,
)

INTERRUPTING: list[Operation] = ["restart", "remove"]
OFFLINE = a_listing(a_runner(online=False))
BUSY = a_listing(a_runner(busy=True))


def state(**different: Any) -> str:
    observed = seen(**different)
    return work_on(parts_of(wanted(), observed), observed).state


@pytest.mark.req("L24")
@pytest.mark.parametrize("operation", INTERRUPTING)
def test_github_idle_and_no_worker_is_no_job(operation: Operation) -> None:
    assert state() == "none"
    assert blocked_by(planned(operation=operation)) == set()


@pytest.mark.req("L24")
@pytest.mark.parametrize("operation", INTERRUPTING)
def test_github_busy_is_a_job_though_no_worker_is_there_yet(operation: Operation) -> None:
    assert state(listing=BUSY) == "running"
    assert blocked_by(planned(wanted(), seen(listing=BUSY), operation=operation)) == {"lane_busy"}


@pytest.mark.req("L24")
@pytest.mark.parametrize("listing", [a_listing(a_runner()), OFFLINE])
@pytest.mark.parametrize("operation", INTERRUPTING)
def test_a_worker_is_a_job_whatever_github_says(listing: Any, operation: Operation) -> None:
    observed = seen(listing=listing, service=a_service(workers=1))
    found = planned(wanted(), observed, operation=operation)
    assert blocked_by(found) == {"lane_busy"}
    assert found.blockers[0].summary == "A job runs: its unit has a worker process."


@pytest.mark.req("L24")
@pytest.mark.parametrize("listing", [a_listing(a_runner()), OFFLINE])
@pytest.mark.parametrize("operation", INTERRUPTING)
def test_workers_that_nobody_counted_block(listing: Any, operation: Operation) -> None:
    observed = seen(listing=listing, service=a_service(workers=None))
    assert blocked_by(planned(wanted(), observed, operation=operation)) == {"work_unknown"}


@pytest.mark.req("L24")
@pytest.mark.parametrize("operation", INTERRUPTING)
def test_an_offline_lane_without_a_worker_is_idle(operation: Operation) -> None:
    observed = seen(listing=OFFLINE, service=a_service(**STOPPED))
    assert blocked_by(planned(wanted(), observed, operation=operation)) == set()


def test_a_lane_that_died_in_a_job_is_started_again_and_not_removed() -> None:
    """GitHub requeues the job by itself; it deletes no runner that it counts a job on."""
    died = seen(listing=a_listing(a_runner(online=False, busy=True)), condition="offline_busy")
    assert blocked_by(planned(wanted(), died, operation="restart")) == set()
    assert blocked_by(planned(wanted(), died, operation="remove")) == {"lane_busy"}


def test_a_log_that_speaks_of_a_job_is_enough_against_a_removal() -> None:
    observed = seen(listing=OFFLINE, condition="offline_busy")
    assert blocked_by(planned(wanted(), observed, operation="remove")) == {"lane_busy"}


def test_a_registration_is_not_taken_back_while_github_counts_a_job_on_it() -> None:
    died = a_listing(a_runner(online=False, busy=True))
    nothing = {"directory": a_directory(**NO_DIRECTORY), "service": a_service(**NO_SERVICE)}
    assert blocked_by(planned(wanted(), seen(listing=died, **nothing))) == {"lane_busy"}


@pytest.mark.parametrize(
    "different",
    [
        {"listing": None},
        {"service": None},
        {"service": a_service(**STOPPED)},
        {"service": a_service(**NO_SERVICE)},
        {"service": a_service(exec_start="/opt/run.sh")},
        {"listing": a_listing(a_runner(id=77))},
        {"listing": a_listing(a_runner(), a_runner(id=77))},
    ],
)
def test_what_only_one_witness_tells_is_not_known(different: dict[str, Any]) -> None:
    assert state(**different) == "unknown"


def test_a_lane_that_github_does_not_know_has_no_job_unless_a_worker_is_there() -> None:
    assert state(listing=a_listing()) == "none"
    assert state(listing=a_listing(), service=a_service(workers=2)) == "running"


def test_steps_that_interrupt_nothing_need_no_idle_lane() -> None:
    """Labels are set while a job runs; writing the unit anew ends in a restart and waits."""
    labels = seen(listing=a_listing(a_runner(busy=True, labels=("self-hosted",))), service=a_service(workers=1))
    assert [step.verb for step in planned(wanted(), labels).steps] == ["set-labels"]
    text = seen(listing=BUSY, service=a_service(workers=1, ours=False))
    assert blocked_by(planned(wanted(), text)) == {"lane_busy"}
