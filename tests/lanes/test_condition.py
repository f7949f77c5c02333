"""The real cause of a lane that is not at work, from systemd, its log and GitHub together."""

from typing import Any

import pytest

from lanes.condition import why_not_at_work
from lanes.parts import parts_of
from tests.lanes.answering import told_journal, told_service
from tests.lanes.scenes import a_listing, a_runner, seen, wanted
from tests.lanes.test_baseline import as_sent

ONLINE, OFFLINE = a_listing(a_runner()), a_listing(a_runner(online=False))
FAILED = {"active_state": "failed", "result": "exit-code", "process_users": []}


def why(*, service: Any = ..., journal: Any = ..., listing: Any = OFFLINE) -> Any:
    facts = {
        "service": told_service() if service is ... else service,
        "journal": told_journal("listening") if journal is ... else journal,
    }
    return why_not_at_work(as_sent(facts), parts_of(wanted(), seen(listing=listing)))


def test_a_lane_at_work_has_no_cause() -> None:
    found = why(listing=ONLINE)
    assert (found.condition, found.cause, found.unread) == ("none", "", "")


@pytest.mark.req("X12")
@pytest.mark.parametrize(
    ("service", "journal", "condition", "cause"),
    [
        (
            {**FAILED, "exit_status": 1, "result": "start-limit-hit"},
            told_journal("registration_deleted", ended_with=1),
            "registration_expired",
            "GitHub deleted its registration",
        ),
        ({**FAILED, "exit_status": 7}, told_journal(), "version_deprecated", "does not serve its version"),
        ({**FAILED, "exit_status": 1}, told_journal("version_deprecated"), "version_deprecated", "does not serve"),
        ({**FAILED, "exit_status": 5}, told_journal(), "session_conflict", "another process is connected"),
        ({}, told_journal("listening", "session_conflict"), "session_conflict", "another process is connected"),
        (
            {"active_state": "inactive", "process_users": []},
            told_journal("listening", "told_to_stop", ended_with=0),
            "none",
            "Somebody stopped it, or it was not started since the host booted.",
        ),
        (
            {"active_state": "inactive", "enabled": False},
            told_journal("told_to_stop"),
            "none",
            "It is not enabled, so it will not start by itself.",
        ),
        (
            {**FAILED, "result": "signal", "exit_status": 11},
            told_journal("listening"),
            "none",
            "It crashed: its listener was killed by a signal (exit status 11).",
        ),
        ({**FAILED, "result": "oom-kill"}, told_journal(), "none", "the host ran out of memory"),
        ({**FAILED, "result": "new-in-systemd-300"}, told_journal(), "none", "systemd counts it as failed"),
        (
            {"active_state": "activating", "sub_state": "auto-restart", "exit_status": 1},
            told_journal("listening"),
            "none",
            "It crashed (exit status 1), and systemd starts it again.",
        ),
        (
            {"active_state": "activating", "sub_state": "auto-restart"},
            told_journal("listening", ended_with=2),
            "none",
            "Its listener ended with 2, and systemd starts it again.",
        ),
        ({"active_state": "activating", "sub_state": "start"}, told_journal(), "none", "It is being started."),
        ({}, told_journal("listening"), "none", "Its unit runs, and GitHub shows it offline."),
    ],
)
def test_each_cause_is_told_apart(service: dict[str, Any], journal: Any, condition: str, cause: str) -> None:
    found = why(service=told_service(**service), journal=journal)
    assert found.condition == condition
    assert cause in found.cause


@pytest.mark.req("X12")
@pytest.mark.parametrize("sign", ["registration_deleted", "session_conflict", "version_deprecated"])
def test_what_was_said_before_it_listened_again_is_over(sign: str) -> None:
    assert why(journal=told_journal(sign, "listening"), listing=ONLINE).condition == "none"


def test_the_exit_status_of_the_run_before_does_not_count_while_it_is_active() -> None:
    assert why(service=told_service(exit_status=7), listing=ONLINE).condition == "none"


def test_offline_with_a_job_is_a_condition_of_its_own() -> None:
    busy = a_listing(a_runner(online=False, busy=True))
    found = why(listing=busy)
    assert (found.condition, "counts a job on it" in found.cause) == ("offline_busy", True)


def test_a_word_of_its_log_comes_before_what_github_counts() -> None:
    busy = a_listing(a_runner(online=False, busy=True))
    assert why(listing=busy, journal=told_journal("registration_deleted")).condition == "registration_expired"


@pytest.mark.parametrize(
    "journal",
    [
        None,
        "text",
        {"signs": ["<script>"], "ended_with": None},
        {"signs": ["listening"] * 21, "ended_with": None},
        {"signs": "listening", "ended_with": None},
        {"signs": [], "ended_with": 256},
        {"signs": [], "ended_with": True},
        {},
    ],
)
def test_a_log_that_was_not_read_is_not_a_log_without_a_word(journal: Any) -> None:
    found = why(journal=journal, listing=ONLINE)
    assert (found.condition, bool(found.unread)) == ("none", True)


def test_a_unit_that_was_not_read_leaves_the_word_of_the_log() -> None:
    found = why(service=None, journal=told_journal("session_conflict"))
    assert (found.condition, bool(found.unread)) == ("session_conflict", True)


def test_a_unit_that_is_not_there_has_no_cause() -> None:
    assert why(service=told_service(exists=False, active_state="inactive"), journal=told_journal()).cause == ""
