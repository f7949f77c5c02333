"""The stand-in for GitHub, our client of it, and hosts that tell of lanes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from lanes.github.client import Github
from tests.fakes.github import GithubServer
from tests.lanes.answering import Answering, answering
from tests.lanes.asking import TOKEN, a_github, asking


@pytest.fixture
def server() -> Iterator[GithubServer]:
    with a_github() as server:
        yield server


@pytest.fixture
def github(server: GithubServer) -> Github:
    return asking(server.url)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """What the programs on hosts say."""
    folder = tmp_path / "there"
    folder.mkdir()
    with answering(folder, monkeypatch) as there:
        yield there


@pytest.fixture
def connected(server: GithubServer, settings: Settings) -> GithubServer:
    """The stand-in, as the settings name it."""
    settings.GITHUB_API_URL, settings.GITHUB_TOKEN = server.url, TOKEN
    return server
