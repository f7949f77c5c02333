"""Turns on this machine: two runs of the tests may go at once, and each sees the processes of the other.

A runner's worker closes the gates of every host on the machine. A test that starts one, marked `alone`, waits until no
test is on that works on an engine, and those wait for it.
"""

import fcntl
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# the first is held while waiting for the second: whoever wants to be alone is not overtaken
LOCKS = tuple(Path(tempfile.gettempdir()) / f"launchplane-tests-{os.getuid()}.{name}" for name in ("next", "on"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """The fixtures are made before that, each run for itself."""
    alone = item.get_closest_marker("alone") is not None
    if not alone and item.get_closest_marker("engine") is None:
        return (yield)
    with turn(alone=alone):
        return (yield)


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Hold a place on this machine, with others or alone. The kernel lets go of it when a run dies."""
    following, on = (os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for path in LOCKS)
    try:
        fcntl.flock(following, fcntl.LOCK_EX)
        fcntl.flock(on, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(following, fcntl.LOCK_UN)
        yield
    finally:
        os.close(on)
        os.close(following)
