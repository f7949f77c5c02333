"""What can go wrong between Launchplane and a host. Each problem has a code for programs and a sentence for people."""

from launchplane.problems import Problem


class HostProblem(Problem):
    """A host could not be used."""


class EngineUnavailable(HostProblem):
    """No Docker engine that Launchplane can work with answers at the host's address."""


class EngineReplaced(HostProblem):
    """The engine that answers is not the one that was pinned when the host was added."""


class NotBuiltYet(HostProblem):
    """The way to this host has its place in Launchplane, but does not exist yet."""


class CallFailed(HostProblem):
    """One call to an engine that is there failed. `status` is the HTTP status, if there was one."""

    def __init__(self, code: str, sentence: str, *, status: int | None = None) -> None:
        super().__init__(code, sentence)
        self.status = status


class HostUnavailable(HostProblem):
    """A command was not begun on a host: it can't be reached, is another one, or does not let us in."""


class AnswerLost(HostProblem):
    """A command was begun on a host, and nobody knows how it ended."""


class AnswerUnusable(AnswerLost):
    """A command ended on a host, and what it printed is no answer to what was asked: it counts for nothing."""
