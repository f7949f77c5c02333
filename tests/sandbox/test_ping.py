"""Does an engine answer? Real sockets, in every way of not being one."""

import socket
from pathlib import Path

import pytest

from launchplane.sandbox.dockerd import PrivateEngine
from launchplane.sandbox.ping import silence


def test_a_socket_that_is_not_there_is_silent(tmp_path: Path) -> None:
    assert silence(f"unix://{tmp_path}/docker.sock") == "there is no such socket"


def test_a_socket_that_nobody_listens_on_is_silent(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "docker.sock"))
    assert silence(f"unix://{tmp_path}/docker.sock") == "nothing listens there"


def test_a_socket_that_never_answers_is_silent(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "docker.sock"))
        mute.listen()
        assert silence(f"unix://{tmp_path}/docker.sock", timeout_seconds=0.5) == "it does not answer like an engine"


@pytest.mark.engine
def test_an_engine_that_answers_is_not_silent(private_engine: PrivateEngine) -> None:
    assert silence(private_engine.url) is None
