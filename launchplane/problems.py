"""What went wrong, in a form that every door can show: a code, and a sentence an operator can act on."""

from onhost.problems import Problem

__all__ = ["Problem", "Refused", "Waits"]


class Refused(Problem):
    """Not done, for safety's sake or for want of a right: doing the same again does not help."""


class Waits(Problem):
    """Not done yet: something else has to happen first, and it may do so by itself."""
