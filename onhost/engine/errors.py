"""What can go wrong with an engine."""

from __future__ import annotations

from onhost.problems import Problem


class HostProblem(Problem):
    """A host could not be used."""


class EngineUnavailable(HostProblem):
    """No Docker engine that Launchplane can work with answers at the host's address."""


class EngineReplaced(HostProblem):
    """The engine that answers is not the one that was pinned when the host was added."""


class CallFailed(HostProblem):
    """One call to an engine that is there failed. `status` is the HTTP status, if there was one."""

    def __init__(self, code: str, sentence: str, *, status: int | None = None) -> None:
        super().__init__(code, sentence)
        self.status = status
