"""How tests ask the stand-in for GitHub."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

from github.Auth import Auth

from lanes.github import calls
from lanes.github.access import AppAccess, TokenAccess
from lanes.github.client import Github
from lanes.github.session import Session
from launchplane.hosts import boundary
from tests.fakes.github import GithubServer

TOKEN = "ghp_" + "t0ken" * 8
SCOPE = "acme/shop"


@contextmanager
def a_github() -> Iterator[GithubServer]:
    """A stand-in that knows TOKEN, and had nothing to complain of at the end."""
    with GithubServer() as server:
        server.accept(TOKEN)
        yield server
        assert server.complaints == []


def now() -> datetime:
    return datetime.now(UTC)


def asking(url: str, *, token: str = TOKEN, seconds: int = 10, clock: Callable[[], datetime] = now) -> Github:
    """A client with a token."""
    return Github(TokenAccess(token, connect=_connector(url, seconds, clock)), clock=clock)


@contextmanager
def asking_as_app(
    url: str, app_id: str, key: str, *, clock: Callable[[], datetime] = now, most_leases: int = 8
) -> Iterator[Github]:
    """A client with an App. At the end the redactor forgets its tokens: all tests of a process share it."""
    access = AppAccess(app_id, key, connect=_connector(url, 10, clock), clock=clock, most_leases=most_leases)
    yield Github(access, clock=clock)
    access.forget()


def _connector(url: str, seconds: int, clock: Callable[[], datetime]) -> Callable[[Auth], Session]:
    return lambda auth: Session(base_url=url, auth=auth, seconds=seconds, clock=clock)


def declared(*names: str) -> AbstractContextManager[boundary.Allowance]:
    """A running change that declared these calls, each once; every call twice if none is named."""
    left = dict.fromkeys(names, 1) if names else dict.fromkeys(calls.EVERY_CALL, 2)
    return boundary.within(boundary.Allowance(left, still_mine=lambda: True))
