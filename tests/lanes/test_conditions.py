"""What a dead lane's log says of it, and what that forbids or asks for (X12, X13)."""

import pytest

from lanes.plan.scene import Operation
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
    seen_nothing,
    verbs,
    wanted,
)

OFFLINE = a_listing(a_runner(online=False))


@pytest.mark.req("X12")
@pytest.mark.parametrize("operation", ["plan", "restart", "remove"])
def test_a_registration_that_something_else_uses_is_left_alone(operation: Operation) -> None:
    observed = seen(condition="session_conflict")
    assert blocked_by(planned(wanted(), observed, operation=operation)) == {"session_conflict"}


@pytest.mark.req("X12")
@pytest.mark.parametrize("operation", ["plan", "restart"])
def test_a_registration_that_its_log_calls_gone_and_github_lists_is_only_removed(operation: Operation) -> None:
    observed = seen(condition="registration_expired", listing=OFFLINE, service=a_service(**STOPPED))
    assert blocked_by(planned(wanted(), observed, operation=operation)) == {"registration_expired"}
    assert blocked_by(planned(wanted(), observed, operation="remove")) == set()


@pytest.mark.req("X12")
def test_a_registration_that_is_gone_at_github_too_is_made_again() -> None:
    observed = seen(condition="registration_expired", listing=a_listing(), service=a_service(**STOPPED))
    steps = verbs(planned(wanted(), observed))
    assert steps[:5] == ["stop", "unconfigure-here", "fetch", "ask-token", "configure"]


@pytest.mark.req("X13")
def test_a_version_that_github_does_not_serve_any_more_is_replaced() -> None:
    observed = seen(condition="version_deprecated", listing=OFFLINE)
    assert verbs(planned(wanted(), observed)) == ["stop", "fetch", "enable-now"]
    stopped = observed.model_copy(update={"service": a_service(**STOPPED)})
    assert verbs(planned(wanted(), stopped)) == ["fetch", "enable-now"]


@pytest.mark.req("X13")
def test_a_registered_runner_of_such_a_version_is_adopted_with_a_newer_one() -> None:
    observed = seen(condition="version_deprecated", listing=OFFLINE, service=a_service(**NO_SERVICE))
    assert verbs(planned(wanted(), observed)) == ["fetch", "install-unit", "daemon-reload", "enable-now"]


@pytest.mark.req("X13")
def test_a_version_that_the_record_keeps_is_for_people_to_raise() -> None:
    observed = seen(condition="version_deprecated", listing=OFFLINE)
    assert blocked_by(planned(wanted(runner_version_policy="fixed"), observed)) == {"version_deprecated"}


@pytest.mark.req("X13")
def test_a_restart_brings_no_newer_version() -> None:
    observed = seen(condition="version_deprecated", listing=OFFLINE)
    assert blocked_by(planned(wanted(), observed, operation="restart")) == {"version_deprecated"}
    assert blocked_by(planned(wanted(), observed, operation="remove")) == set()


@pytest.mark.parametrize("condition", ["registration_expired", "version_deprecated", "session_conflict"])
def test_the_log_of_a_lane_that_is_gone_stops_no_create(condition: str) -> None:
    assert blocked_by(planned(wanted(), seen_nothing(condition=condition))) == set()


def test_a_registration_without_a_directory_is_made_again_whatever_an_old_log_says() -> None:
    nothing = {"directory": a_directory(**NO_DIRECTORY), "service": a_service(**NO_SERVICE)}
    observed = seen(condition="registration_expired", listing=OFFLINE, **nothing)
    assert verbs(planned(wanted(), observed))[:2] == ["remove-registration", "fetch"]


@pytest.mark.req("M64")
def test_a_lane_whose_service_runs_and_that_is_offline_is_not_as_it_must_be() -> None:
    assert verbs(planned(wanted(), seen(listing=OFFLINE))) == ["restart"]
