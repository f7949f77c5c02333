"""The stand-in for GitHub, and our client of it."""

from collections.abc import Iterator

import pytest

from lanes.github.client import Github
from tests.fakes.github import GithubServer
from tests.lanes.asking import a_github, asking


@pytest.fixture
def server() -> Iterator[GithubServer]:
    with a_github() as server:
        yield server


@pytest.fixture
def github(server: GithubServer) -> Github:
    return asking(server.url)
