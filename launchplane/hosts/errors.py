"""What can go wrong between Launchplane and a host. Each problem has a code for programs and a sentence for people."""

from onhost.engine.errors import CallFailed, EngineReplaced, EngineUnavailable, HostProblem

__all__ = [
    "AnswerLost",
    "AnswerUnusable",
    "CallFailed",
    "EngineReplaced",
    "EngineUnavailable",
    "HostProblem",
    "HostUnavailable",
]


class HostUnavailable(HostProblem):
    """A command was not begun on a host: it can't be reached, is another one, or does not let us in."""


class AnswerLost(HostProblem):
    """A command was begun on a host, and nobody knows how it ended."""


class AnswerUnusable(AnswerLost):
    """A command ended on a host, and what it printed is no answer to what was asked: it counts for nothing."""
