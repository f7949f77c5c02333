"""A room of its own for each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from launchplane.sandbox.dockerd import PrivateEngine
from tests.onhost.over_ssh import Way, opened
from tests.onhost.room import Room, build
from tests.testbed.host import booted


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


@pytest.fixture(scope="session")
def key_holder(testbed_engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """A machine with the programs, reached with the control plane's key; for tests that leave it as they found it."""
    with booted(testbed_engine) as host:
        yield opened(host, tmp_path_factory.mktemp("key"))
