"""A room of its own for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.onhost.room import Room, build


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who works in a room starts many processes as root, in namespaces: that is no test for while one writes code."""
    for item in items:
        if {"room", "ready"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.testbed)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A host's root folder, with both programs installed."""
    if os.geteuid() != 0:
        pytest.skip("a mount namespace of its own needs root")
    made = build(tmp_path / "root")
    yield made
    made.close()
