"""What the linter says of a repository. Field names are used from outside."""

from typing import Literal

from launchplane.hosts.contracts import Contract

Code = Literal[
    "system_prune",
    "image_prune",
    "container_prune",
    "volume_prune",
    "network_prune",
    "build_cache_prune",
    "builders_removed",
    "images_listed",
    "containers_listed",
    "volumes_listed",
    "networks_listed",
    "storage_removed",
    "auto_prune",
    "action_removes_images",
    "prune_module",
    "cleaner",
    "image_removed_in_teardown",
]


class LintFinding(Contract):
    """A command that takes more from a shared host than its repository owns: where it stands, why, what instead."""

    code: Code
    path: str
    line: int
    command: str
    why: str
    instead: str


class Allowed(Contract):
    """What would be a finding, and is none for this reason."""

    finding: LintFinding
    by: Literal["comment", "throwaway"]
    reason: str


class Unread(Contract):
    """What was not looked at although it may hold a command."""

    path: str
    reason: str


class LintResult(Contract):
    """Everything about the paths that were looked at, in the order of paths and lines.

    `files_seen` counts all files, `files_read` those that were looked into, `files_left_out` those that were to be left
    out. `truncated` counts findings beyond the most that are told.
    """

    findings: tuple[LintFinding, ...]
    allowed: tuple[Allowed, ...]
    unread: tuple[Unread, ...]
    files_seen: int
    files_read: int
    files_left_out: int
    truncated: int

    @property
    def is_clean(self) -> bool:
        """Nothing was found, and everything could be looked at: what is not known is no yes."""
        return not (self.findings or self.unread or self.truncated)
