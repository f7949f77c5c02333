"""The strict stand-in for GitHub, and the stand-in runner that speaks to it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.github import GithubServer
from tests.fakes.runner.package import package
from tests.fakes.unpacked import NOBODY, Unpacked
from tests.lanes.asking import TOKEN


@pytest.fixture
def server() -> Iterator[GithubServer]:
    with GithubServer() as server:
        server.accept(TOKEN)
        yield server
        assert server.complaints == []


@pytest.fixture
def runner(server: GithubServer) -> Iterator[Unpacked]:
    folder = Path(tempfile.mkdtemp(prefix="lp-runner-"))
    subprocess.run(["tar", "-xz", "-C", str(folder)], input=package().content, check=True)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    yield Unpacked(folder, server)
    shutil.rmtree(folder)
