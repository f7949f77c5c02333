"""The disposable host as fixtures."""

from collections.abc import Iterator

import pytest

from launchplane.sandbox.dockerd import PrivateEngine
from tests.testbed.host import DisposableHost, booted, engine_with_the_image


@pytest.fixture(scope="session")
def testbed_engine() -> Iterator[PrivateEngine]:
    """The engine that all disposable hosts of a run are booted in."""
    with engine_with_the_image() as engine:
        yield engine


@pytest.fixture(scope="session")
def disposable(testbed_engine: PrivateEngine) -> Iterator[DisposableHost]:
    """One machine for all tests that leave it as they found it."""
    with booted(testbed_engine) as host:
        yield host


@pytest.fixture
def another_disposable(testbed_engine: PrivateEngine) -> Iterator[DisposableHost]:
    """A machine for one test alone, which may spoil it. It takes some seconds."""
    with booted(testbed_engine) as host:
        yield host
