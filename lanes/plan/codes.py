"""Why a lane's plan is blocked: each code with what to do about it. Pure."""

from collections.abc import Mapping
from typing import Literal

from launchplane.changes.contracts import Blocker

Code = Literal[
    "not_managed",
    "unsafe_name",
    "unsafe_path",
    "unit_mismatch",
    "managed_label_missing",
    "required_label_missing",
    "duplicate_lane",
    "another_host",
    "host_not_approved",
    "lanes_not_enabled",
    "root_not_allowed",
    "service_user_mismatch",
    "service_user_shared",
    "repository_not_allowed",
    "too_many_lanes",
    "not_measured",
    "unmanaged_runner",
    "stale_state",
    "unknown_conflict",
    "runs_unsupervised",
    "not_supervised",
    "labels_differ",
    "lane_busy",
    "work_unknown",
    "session_conflict",
    "registration_expired",
    "version_deprecated",
    "control_path_missing",
    "baseline_not_ready",
    "idempotency_key_missing",
    "confirmation_missing",
]

NEXT_STEPS: Mapping[Code, str] = {
    "not_managed": "Set the lane to managed, or leave it to whoever runs it.",
    "unsafe_name": "Give the lane's record names that are accepted, then plan again.",
    "unsafe_path": "Make the path a plain folder that belongs to the lane's user, without links, then plan again.",
    "unit_mismatch": "Look at the unit on the host with systemctl cat: nobody else's may have the lane's name.",
    "managed_label_missing": "Add the label launchplane-managed to the lane's record.",
    "required_label_missing": "Add the labels that every lane of this host has to the lane's record.",
    "duplicate_lane": "Give one of them another name: upper and lower case make no difference.",
    "another_host": "Plan the lane for the host that its record names.",
    "host_not_approved": "Whoever may change the host's settings can approve it there.",
    "lanes_not_enabled": "Whoever may change the host's settings can enable lanes there.",
    "root_not_allowed": "Use one of the host's runner roots, exactly as it is written there.",
    "service_user_mismatch": "Use one of the host's service users, and let directory and unit belong to that one.",
    "service_user_shared": "Give each lane of a host a service user of its own.",
    "repository_not_allowed": "Whoever grants lanes can allow this repository or organization on the host.",
    "too_many_lanes": "Take another lane of it off the host first, or have the grant raised.",
    "not_measured": "Look at the lane for what could not be read and why, then observe and plan again.",
    "unmanaged_runner": "Give the lane another name, or have whoever registered that runner take it off GitHub.",
    "stale_state": "Clear by hand what is left in the lane's place on the host, then observe and plan again.",
    "unknown_conflict": "Look at the lane's directory, unit and registration, make them agree by hand, plan again.",
    "runs_unsupervised": "End what runs it without its unit. Right after a stop GitHub is late: wait a minute.",
    "not_supervised": "Plan the lane without a restart: that sets up what is missing.",
    "labels_differ": "Plan the lane without a restart first: that sets its labels.",
    "lane_busy": "Wait until the job has ended, then observe and plan again.",
    "work_unknown": "Make sure that GitHub and the host can both be asked whether a job runs, then plan again.",
    "session_conflict": "Find the other machine or process that uses this registration, and end it.",
    "registration_expired": "Observe again; if its log still says so, remove the lane and create it anew.",
    "version_deprecated": "Let the lane's record update its runner, then plan it without a restart.",
    "control_path_missing": "Install Launchplane's programs on the host, then observe and plan again.",
    "baseline_not_ready": "Mend on the host what the baseline names, then observe and plan again.",
    "idempotency_key_missing": "Send an idempotency key with what is to be carried out.",
    "confirmation_missing": "Type the phrase exactly as it is shown.",
}


_BY_NAME = {str(code): step for code, step in NEXT_STEPS.items()}


def next_step(found: Blocker) -> str:
    """What to do about a blocker of this module."""
    return _BY_NAME[found.code]


def blocker(code: Code, summary: str) -> Blocker:
    """A blocker whose code has a next step."""
    return Blocker(code=code, summary=summary)
