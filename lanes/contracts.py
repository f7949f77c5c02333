"""What a lane should be, what was seen of it, and what follows: the words of planner, executor and pages. Pure.

A part that could not be read is None, and `unmeasured` of what holds it says why. Nothing unmeasured is ever "absent".
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from launchplane.hosts.contracts import Contract

Shape = Literal[
    "absent",
    "github_only",
    "local_service_only",
    "supervised_active",
    "supervised_inactive",
    "mismatched_labels",
    "unknown_conflict",
]
Condition = Literal["none", "registration_expired", "offline_busy", "version_deprecated", "session_conflict"]
Action = Literal["create", "adopt", "reconcile", "restart", "remove"]


class Desired(Contract):
    """A lane as its record wants it (M10). `scope` is `owner/repository`, or `owner` for an organization's runner.

    `agent_id` is GitHub's id of the runner that we registered for it; None as long as we never did. It is the first
    part of the ownership triple: our record, GitHub's runner id, the AgentId in `.runner` (X11).
    """

    scope: str
    host_name: str
    lane_name: str
    registration_root: str
    service_user: str
    systemd_unit_name: str
    labels: tuple[str, ...]
    runner_version_policy: Literal["update", "fixed"]
    managed: bool
    agent_id: int | None

    @property
    def directory(self) -> str:
        """Where its runner is configured and runs (M48)."""
        return f"{self.registration_root}/{self.lane_name}"


class Grant(Contract):
    """The opt-in of a host for a repository or organization, with how many lanes it may have there (L3)."""

    host_name: str
    scope: str
    max_lanes: int


class GithubRunner(Contract):
    """One runner as GitHub lists it. `version` is None where the server does not tell it."""

    id: int
    name: str
    os: str
    online: bool
    busy: bool
    labels: tuple[str, ...]
    version: str | None


class Listing(Contract):
    """All runners of a scope at one time. Only a `complete` one proves that a runner is not there."""

    scope: str
    runners: tuple[GithubRunner, ...]
    total_count: int
    complete: bool
    why_incomplete: str
    request_ids: tuple[str, ...]
    seen_at: datetime


class Directory(Contract):
    """A lane's directory on its host. `problem` says why it is not safe: a link, another owner, odd files.

    `configured` is whether it has a `.runner`; the three after it are what that says, `agent_id` None if nobody can
    read it.
    """

    path: str
    exists: bool
    problem: str
    owner: str
    configured: bool
    agent_id: int | None
    agent_name: str
    github_url: str


class Service(Contract):
    """A systemd unit as the manager tells it. `ours` is whether its text is the one that we would write.

    `process_user` is whom its main process runs as, empty while it has none. `exec_start` is the path of its program,
    and with `working_directory` what is in force: drop-ins included.
    """

    unit: str
    exists: bool
    ours: bool
    enabled: bool
    active_state: str
    sub_state: str
    process_user: str
    working_directory: str
    exec_start: str
    workers: int | None
    """Processes called Runner.Worker in the unit's cgroup: each is a job that runs.

    0 where the unit has no cgroup, None where nobody could count.
    """


class Baseline(Contract):
    """What a lane needs on its host, each by name: True, False, or None where it was not read, with a sentence."""

    checks: Mapping[str, bool | None]
    reasons: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Whether everything was read and is as it must be; an observation that is missing is not ready (M33)."""
        return bool(self.checks) and all(value is True for value in self.checks.values())


class Observed(Contract):
    """All that was seen of one lane at one time. A part that is None was not read, and `unmeasured` says why.

    `condition` is what systemd, GitHub and the runner's own log say of why it is not at work (X12), and `cause` that in
    a sentence, also where no condition has a name: stopped, crashed; empty where nothing is wrong. `control_path` is
    whether the programs that restart and remove it are there and answer for this lane (M94); None: nobody asked them.
    """

    lane_name: str
    listing: Listing | None
    directory: Directory | None
    service: Service | None
    baseline: Baseline | None
    condition: Condition
    unmeasured: Mapping[str, str]
    seen_at: datetime
    control_path: bool | None = None
    cause: str = ""
