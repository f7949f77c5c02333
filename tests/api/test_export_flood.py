"""The pages' own server, while everybody wants exports and some stop reading: the pages are served all the same."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from audits.verify_export import verify_export
from launchplane import patience
from launchplane.access.models import User
from tests.access.making import a_token
from tests.audits.making import a_record
from tests.factories import a_host, a_person
from tests.processes import environment
from tests.web_server import WebServer, web_server

pytestmark = pytest.mark.django_db(transaction=True)
EXPORT = "/v1/evidence/export"
AT_ONCE, STALLED, PAGES = 100, 8, 10


@pytest.fixture
def auditor(transactional_db: None) -> User:
    return a_person("auditor", group="Auditors")


@pytest.fixture
def server(auditor: User, tmp_path: Path) -> Iterator[WebServer]:
    """It has more to send than the buffers of a connection hold."""
    with transaction.atomic():
        for _ in range(100):
            a_record(payload={"long": "x" * 200_000})
    with web_server(environment(), tmp_path / "log") as server:
        yield server


@pytest.fixture
def cookie(auditor: User) -> str:
    """The session of a person who is logged in."""
    client = Client()
    client.force_login(auditor)
    return f"sessionid={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def stalled(server: WebServer, token: str) -> socket.socket:
    """A client that asks for an export, reads how it begins, and reads no more."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    client.sendall(f"GET {EXPORT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    client.settimeout(120)
    assert client.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 503", b"HTTP/1.1 429")
    return client


def asked(server: WebServer, token: str) -> int:
    """The status of one export; one that is sent has to verify."""
    status, text = server.get(EXPORT, Authorization=f"Bearer {token}")
    if status == 200:
        assert verify_export(text.splitlines(keepends=True)).intact
    else:
        assert json.loads(text)["code"] in ("export_running", "exports_busy")
    return status


@pytest.mark.req("H53")
def test_a_page_is_served_while_a_hundred_want_exports_and_some_stop_reading(
    server: WebServer, auditor: User, cookie: str
) -> None:
    host = a_host("ci-1")
    tokens = [a_token(auditor) for _ in range(AT_ONCE + STALLED)]
    with ExitStack() as open_connections, ThreadPoolExecutor(AT_ONCE) as people:
        for token in tokens[AT_ONCE:]:
            open_connections.enter_context(stalled(server, token))
        wanted = [people.submit(asked, server, token) for token in tokens[:AT_ONCE]]
        pages = [server.get(f"/hosts/{host.name}/changes/", Cookie=cookie)[0] for _ in range(PAGES)]
        answers = Counter(one.result() for one in wanted)
    assert pages == [200] * PAGES
    assert set(answers) <= {200, 429, 503}
    assert server.get("/health")[0] == 200


def test_places_come_back_when_those_who_stopped_reading_leave(server: WebServer, auditor: User) -> None:
    tokens = [a_token(auditor) for _ in range(STALLED)]
    for client in [stalled(server, token) for token in tokens]:
        client.close()
    answers = iter(lambda: asked(server, tokens[0]), 200)
    for _ in zip(answers, range(1000), strict=False):
        pass
    assert asked(server, tokens[0]) == 200


class Endless:
    """An answer without an end, that knows whether it was closed."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"x" * 1_000_000

    def close(self) -> None:
        self.closed = True


def test_one_who_stops_reading_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.05)
    ours, theirs = socket.socketpair()
    endless = Endless()
    answer = patience.with_patience(lambda _environ, _start: endless)({patience.SOCKET: ours}, print)
    with pytest.raises(TimeoutError):
        for piece in answer:
            ours.sendall(piece)
    answer.close()  # type: ignore[attr-defined]
    while theirs.recv(1_000_000):
        pass  # what had gone out by then; and after that the end
    assert endless.closed


def test_an_answer_that_was_sent_leaves_the_connection_open() -> None:
    ours, theirs = socket.socketpair()
    answer = patience.with_patience(lambda _environ, _start: [b"a" * 300_000, b"", b"b"])(
        {patience.SOCKET: ours}, print
    )
    assert [len(piece) for piece in answer] == [262_144, 37_856, 1]
    answer.close()  # type: ignore[attr-defined]
    ours.sendall(b"the next")
    assert theirs.recv(8) == b"the next"
