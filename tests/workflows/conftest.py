"""A runner, GitHub's door for tokens, and a stand-in for Launchplane that says what a test wants."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.actions import TokenDoor
from tests.workflows.acting import REQUEST_TOKEN, Runner
from tests.workflows.standin import StandIn


@pytest.fixture
def door() -> Iterator[TokenDoor]:
    with TokenDoor(REQUEST_TOKEN) as door:
        yield door


@pytest.fixture
def launchplane() -> Iterator[StandIn]:
    with StandIn() as standing_in:
        yield standing_in


@pytest.fixture
def runner(tmp_path: Path, door: TokenDoor) -> Runner:
    return Runner(tmp_path, door=door.address)
