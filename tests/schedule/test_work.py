"""A cluster of workers that is asked to end: its workers know, and finish what they have in hand."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django_q.tasks import async_task

from launchplane.schedule.stopping import is_stopping
from tests.processes import environment

PATIENCE_SECONDS = 60


def wait_until_stopping(folder: str) -> None:
    """A long task: says that it runs, and ends as soon as it knows that it should."""
    (Path(folder) / "runs").touch()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_stopping() and time.monotonic() < deadline:
        time.sleep(0.02)
    (Path(folder) / ("told" if is_stopping() else "not told")).touch()


@pytest.fixture
def cluster(transactional_db: None) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "work"],
        env=os.environ | environment() | {"Q_CLUSTER_NAME": "apply"},
        cwd=settings.BASE_DIR,
        start_new_session=True,
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_worker_learns_that_its_cluster_must_end(cluster: subprocess.Popen[bytes], tmp_path: Path) -> None:
    async_task("tests.schedule.test_work.wait_until_stopping", str(tmp_path), cluster="apply")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (tmp_path / "runs").exists():
        assert cluster.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    cluster.send_signal(signal.SIGTERM)
    assert cluster.wait(timeout=PATIENCE_SECONDS) == 0
    assert (tmp_path / "told").exists()
