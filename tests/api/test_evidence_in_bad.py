"""Bad input to `POST /v1/evidence/…/audits`: each is an error of the sender with a code, and nothing is stored."""

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django.live_server_helper import LiveServer

from audits.models import AuditRecord
from audits.outside import KINDS
from launchplane.api.bodies import LONGEST
from launchplane.api.models import TakenIn
from launchplane.hosts.models import Host
from tests.api.reading import problem
from tests.api.sending import HYGIENE, LANE, Sender, of_lane, planned
from tests.test_strict_json import REFUSED

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(host: Host) -> Sender:
    return Sender()


@pytest.fixture(autouse=True)
def _nothing_is_stored(db: None) -> Iterator[None]:
    yield
    assert not AuditRecord.objects.filter(kind__in=KINDS).exists()
    assert not TakenIn.objects.exists()


# the client of the tests says no content type where there is no body
@pytest.mark.parametrize(
    "raw", [raw for raw in REFUSED.values() if raw], ids=[name for name, raw in REFUSED.items() if raw]
)
def test_a_body_that_is_no_plain_json_is_refused(sender: Sender, raw: bytes) -> None:
    assert problem(sender.send(raw, raw=True)) == (400, "bad_json")


@pytest.mark.parametrize("to", [HYGIENE, LANE])
@pytest.mark.parametrize("said", [{}, {"key": "a"}, {"a": [[]]}, {"schema_version": 1, "pre_state": []}])
def test_a_body_that_does_not_fit_the_contract_is_refused(sender: Sender, to: str, said: dict[str, Any]) -> None:
    assert problem(sender.send(said, to=to)) == (422, "invalid")


@pytest.mark.parametrize(
    ("said", "where"),
    [
        (planned(host="../ci-1"), "host"),
        (planned(host="ci-1\n"), "host"),
        (planned(key="../../etc/passwd"), "key"),
        (planned(predicted_bytes=-1), "predicted_bytes"),
        (planned(status="completed"), "post_state"),
    ],
)
def test_what_is_wrong_is_named(sender: Sender, said: dict[str, Any], where: str) -> None:
    response = sender.send(said)

    assert problem(response) == (422, "invalid")
    assert where in response.json()["detail"]


@pytest.mark.req("M44")
@pytest.mark.parametrize("key", ["../a", "a/../b", "/etc/passwd", "a..b", "..", "a%2e%2e/b", "a\\b", ""])
def test_a_key_cannot_traverse(sender: Sender, key: str) -> None:
    assert problem(sender.send(planned(key=key))) == (422, "invalid")
    assert problem(sender.send(of_lane(key=key), to=LANE)) == (422, "invalid")


def test_a_long_name_in_the_body_is_not_repeated_at_length(sender: Sender) -> None:
    response = sender.send(planned(**{"x" * 100_000: 1}))

    assert problem(response) == (422, "invalid")
    assert len(response.content) < 2000


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/json; version=2",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/html, application/json",
        ";",
        "\xff",
    ],
)
def test_another_content_type_is_refused(sender: Sender, content_type: str) -> None:
    more: dict[str, Any] = {"Content-Type": content_type}
    response = sender.send(planned(), **more)

    assert problem(response) == (415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "x"])
def test_a_packed_body_is_refused(sender: Sender, encoding: str) -> None:
    more: dict[str, Any] = {"Content-Encoding": encoding}

    assert problem(sender.send(planned(), **more)) == (415, "unsupported_encoding")


@pytest.mark.req("M42", "H55")
def test_an_idempotency_key_is_required(sender: Sender) -> None:
    assert problem(sender.send(planned(), key=None)) == (400, "idempotency_key_missing")


@pytest.mark.req("M42")
@pytest.mark.parametrize("key", ["x" * 201, "x" * 256, "a b", "a\tb", "ä", "\x7f", "a\x00b", "日本"])
def test_an_odd_idempotency_key_is_refused(sender: Sender, key: str) -> None:
    assert problem(sender.send(planned(), key=key)) == (400, "bad_key")


def test_a_body_that_is_too_long_is_refused_by_the_length_that_it_says(sender: Sender) -> None:
    assert problem(sender.send(b" " * (LONGEST + 1), raw=True)) == (413, "too_large")


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("", (411, "length_required")),
        ("9" * 5000, (413, "too_large")),
        ("-1", (400, "bad_length")),
        ("٣", (400, "bad_length")),
    ],
)
def test_a_length_that_is_none_is_refused(sender: Sender, length: str, expected: tuple[int, str]) -> None:
    assert problem(sender.send(planned(), length=length)) == expected


def test_a_body_that_ends_early_is_refused(sender: Sender) -> None:
    whole = json.dumps(planned()).encode()

    assert problem(sender.send(whole[:100], raw=True)) == (400, "bad_json")


@pytest.mark.django_db(transaction=True)
def test_twenty_megabytes_in_chunks_are_refused_unread(live_server: LiveServer, sender: Sender) -> None:
    connection = http.client.HTTPConnection(urlsplit(live_server.url).netloc, timeout=30)
    headers = sender.headers("a-key") | {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    connection.putrequest("POST", HYGIENE)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()

    response = connection.getresponse()

    assert (response.status, json.loads(response.read())["code"]) == (411, "length_required")
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_cut_in_the_body_stores_nothing(live_server: LiveServer, sender: Sender) -> None:
    address = urlsplit(live_server.url)
    lines = [f"POST {HYGIENE} HTTP/1.1", f"Host: {address.netloc}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in sender.headers("a-key").items()]
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall(("\r\n".join([*lines, "Content-Length: 1000", "", '{"key":'])).encode())
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4096).decode()

    assert " 400 " in answer.partition("\r\n")[0]
