"""Where runners are registered, a repository or an organization, and what else gets into an address. Pure.

A client takes `.` and `..` out of an address, so that the call would be for something else. So this door looks for
itself, whatever names were accepted before it.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

from lanes.github.errors import GithubDenied

OWNER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
REPOSITORY: Final = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,100}")
LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VERSION: Final = re.compile(r"[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Scope:
    """`repository` is "" for the runners of an organization."""

    owner: str
    repository: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `owner/repository` or `owner`. Raises GithubDenied for anything else."""
        owner, slash, repository = text.partition("/")
        if not OWNER.fullmatch(owner) or (slash and not REPOSITORY.fullmatch(repository)):
            raise GithubDenied("github_bad_name", f"{text[:200]!r} is neither owner/repository nor an organization.")
        return cls(owner, repository)

    def __str__(self) -> str:
        return f"{self.owner}/{self.repository}" if self.repository else self.owner

    @property
    def path(self) -> str:
        """What its addresses begin with, below the API's own."""
        return f"/repos/{self.owner}/{self.repository}" if self.repository else f"/orgs/{self.owner}"

    @property
    def permission(self) -> str:
        """What an App needs for runners here, by the name that GitHub gives it."""
        return "administration" if self.repository else "organization_self_hosted_runners"


def label(text: str) -> str:
    """A label that may be sent. Raises GithubDenied."""
    if not LABEL.fullmatch(text):
        raise GithubDenied("github_bad_name", f"{text[:200]!r} cannot be a label of a lane.")
    return text


def version(text: str) -> str:
    """A runner's version as it stands in an address. Raises GithubDenied."""
    if not VERSION.fullmatch(text):
        raise GithubDenied("github_bad_name", f"{text[:200]!r} is not a runner's version, such as 2.337.0.")
    return text


def checked_id(number: int) -> int:
    """An id as GitHub gives them. Raises GithubDenied."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise GithubDenied("github_bad_name", f"{number!r} is not the id of a runner.")
    return number
