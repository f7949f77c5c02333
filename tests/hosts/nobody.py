"""For a moment an unprivileged user, to meet what such a user may not do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@contextmanager
def as_nobody() -> Iterator[None]:
    """What happens within is done by an unprivileged user."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def open_to_all(folder: Path) -> None:
    """Let other users reach a folder of pytest's."""
    for part in (folder, *folder.parents[:-2]):
        part.chmod(0o755)
