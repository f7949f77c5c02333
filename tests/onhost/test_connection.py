"""A connection to an engine: it waits no longer than it was told, and every failure has its name."""

from pathlib import Path

import pytest

from onhost.engine.calls import Connection
from onhost.engine.errors import CallFailed, EngineUnavailable, HostProblem
from tests.faults import Behaviour, EngineSocket, cut_off, drips, hangs, html, raw, says, speaks

SECONDS, MOST_BYTES = 0.5, 10_000
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FAULTS: dict[str, tuple[Behaviour, str]] = {
    "says nothing": (hangs, "timed_out"),
    "drips": (drips(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b" " * 500), "timed_out"),
    "drips its head": (drips(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100), "timed_out"),
    "hangs up": (raw(b""), "answer_cut"),
    "hangs up in its head": (raw(b"HTTP/1.1 200 OK\r\nContent-"), "not_an_engine"),
    "hangs up in its body": (cut_off({"a": "b" * 100}, after_bytes=20), "answer_cut"),
    "hangs up in a chunk": (raw(CHUNKED + b'20\r\n{"a":'), "answer_cut"),
    "is a web server": (html(), "not_an_engine"),
    "is a web server with an error": (html(status=404), "not_an_engine"),
    "is no server": (raw(b"SSH-2.0-OpenSSH_9.9\r\n"), "not_an_engine"),
    "says too much": (says("x" * (MOST_BYTES + 1)), "answer_too_large"),
    "says too much in chunks": (raw(CHUNKED + b"8000\r\n" + b"x" * 0x8000 + b"\r\n0\r\n\r\n"), "answer_too_large"),
    "says NaN": (speaks(b"NaN"), "not_an_engine"),
    "says half a document": (speaks(b'{"a": '), "answer_cut"),
    "refuses": (says({"message": "no such image"}, status=404), "engine_error"),
    "counts already": (says({"message": "a disk usage operation is already running"}, status=500), "df_running"),
}


def connected(path: Path) -> Connection:
    return Connection(str(path), api_version="1.41", max_answer_bytes=MOST_BYTES)


def failure(path: Path) -> HostProblem:
    with connected(path) as connection, pytest.raises((CallFailed, EngineUnavailable)) as failed:
        connection.get("/info", seconds=SECONDS)
    return failed.value


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_has_its_name(fault: str) -> None:
    behaviour, code = FAULTS[fault]
    with EngineSocket({"/info": behaviour}) as engine:
        assert failure(engine.path).code == code


def test_where_nobody_listens_it_says_so() -> None:
    with EngineSocket() as engine:
        path = engine.path
    assert failure(path).code == "no_socket"


def test_an_answer_is_decoded_and_asked_for_in_the_version_that_was_agreed() -> None:
    with EngineSocket({"/info": says({"ID": "x"})}) as engine, connected(engine.path) as connection:
        assert connection.get("/info", seconds=SECONDS, params={"all": 1}) == {"ID": "x"}
    assert [(sent.version, sent.path, sent.query) for sent in engine.requests] == [("1.41", "/info", "all=1")]


def test_after_a_failure_nothing_of_it_is_taken_for_the_next_answer() -> None:
    behaviours = {"/info": hangs, "/version": says({"ApiVersion": "1.41"})}
    with EngineSocket(behaviours) as engine, connected(engine.path) as connection:
        with pytest.raises(CallFailed):
            connection.get("/info", seconds=SECONDS)
        assert connection.get("/version", seconds=SECONDS) == {"ApiVersion": "1.41"}
        assert connection.sockets == 2
