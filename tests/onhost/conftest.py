"""A room of its own for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.onhost.room import Room, build


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A host's root folder, with both programs installed."""
    if os.geteuid() != 0:
        pytest.skip("a mount namespace of its own needs root")
    made = build(tmp_path / "root")
    yield made
    made.close()
