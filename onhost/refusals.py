"""The ways in which a program says no. Each has a code, a sentence, and the exit status that goes with it."""

from __future__ import annotations


class Refusal(Exception):
    """Something was not done. Nothing here is raised with a secret in it."""

    status = 4

    def __init__(self, code: str, summary: str) -> None:
        super().__init__(summary)
        self.code = code
        self.summary = summary


class BadRequest(Refusal):
    """The request cannot be read, or asks for something that no host knows. Nothing changed."""

    status = 2


class Busy(Refusal):
    """Another program is changing this host: ask again later. Nothing changed."""

    status = 3


class Refused(Refusal):
    """A check on this host said no. Nothing changed."""

    status = 4


class Failed(Refusal):
    """Something was tried and is not as it should be afterwards. Look before anything else is done."""

    status = 5


class Untrusted(Refusal):
    """The installation itself is not as it must be, so nothing was even looked at."""

    status = 6
