"""The private engine: started once, reused, cleaned up after a crash, gone without a trace."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import docker
import pytest

from launchplane.sandbox.dockerd import EngineFailed, PrivateEngine
from launchplane.sandbox.mounts import mounted_below
from launchplane.sandbox.processes import wait_until_gone, with_argument


@pytest.mark.engine
def test_it_answers_on_its_own_socket_with_its_own_data(private_engine: PrivateEngine) -> None:
    client = docker.DockerClient(base_url=private_engine.url)
    assert client.info()["DockerRootDir"] == str(private_engine.data_root)
    assert "bridge" not in [network.name for network in client.networks.list()]
    client.close()


@pytest.mark.engine
def test_it_is_another_engine_than_its_neighbour(private_engine: PrivateEngine, tmp_path: Path) -> None:
    neighbour = PrivateEngine(tmp_path / "engine")
    neighbour.start()
    try:
        ids = {docker.DockerClient(base_url=engine.url).info()["ID"] for engine in (private_engine, neighbour)}
    finally:
        neighbour.stop()
    assert len(ids) == 2


@pytest.mark.engine
def test_a_second_start_reuses_the_engine_that_runs(private_engine: PrivateEngine) -> None:
    before = private_engine.pid
    assert PrivateEngine(private_engine.folder).start() is False
    assert private_engine.pid == before


@pytest.mark.engine
def test_stop_leaves_no_process_no_mount_and_no_socket(tmp_path: Path) -> None:
    engine = PrivateEngine(tmp_path / "engine")
    engine.start()
    engine.stop()
    assert with_argument([str(engine.runtime)]) == []
    assert mounted_below(engine.folder, engine.runtime) == []
    assert not engine.runtime.exists()


@pytest.mark.engine
def test_it_does_not_outlive_a_process_that_was_killed(tmp_path: Path) -> None:
    engine = PrivateEngine(tmp_path / "engine")
    start = "import pathlib, sys, time; from launchplane.sandbox.dockerd import PrivateEngine\n"
    start += f"PrivateEngine(pathlib.Path({str(engine.folder)!r})).start(); print('up', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", start], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        owner.kill()
    assert wait_until_gone([str(engine.runtime)], timeout_seconds=15) == []


@pytest.mark.engine
def test_it_starts_again_after_the_engine_was_killed(tmp_path: Path) -> None:
    engine = PrivateEngine(tmp_path / "engine")
    engine.start()
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    try:
        assert PrivateEngine(engine.folder).start() is True
        assert engine.answers()
    finally:
        engine.stop()
    assert mounted_below(engine.folder, engine.runtime) == []


@pytest.mark.engine
def test_a_folder_too_deep_for_a_socket_still_gets_an_engine(tmp_path: Path) -> None:
    engine = PrivateEngine(tmp_path / ("deep" * 20) / "engine")
    engine.start()
    try:
        assert len(os.fsencode(engine.socket)) < 108
        assert engine.answers()
    finally:
        engine.stop()


@pytest.mark.engine
def test_a_start_that_fails_says_what_dockerd_said(tmp_path: Path) -> None:
    engine = PrivateEngine(tmp_path / "engine")
    engine.folder.mkdir()
    engine.data_root.write_text("a file where the data should go")
    with pytest.raises(EngineFailed, match=r"instead of answering: .*data"):
        engine.start()
