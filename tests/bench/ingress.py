"""`script/bench ingress`: evidence taken in over HTTP, beside a bare route that inserts the same row behind a counter.

Both are served by the product's own gunicorn, on one PostgreSQL whose commits reach the disk, and called by the same 32
clients in turn. Then the database is stopped and started again while they hand in: no record may be lost or doubled.
"""

import http.client
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import postgres
from tests.bench.audit import make_peer
from tests.bench.inventory import prepare_django

CLIENTS, TOKENS = 32, 8
EACH, ROUNDS = 20, 5
AT_LEAST = 0.5
GIVE_UP_SECONDS = 120.0
PROJECT = Path(__file__).parents[2]
OURS, PEER = "/v1/evidence/runner-host-hygiene/audits", "/audits"

Send = Callable[[http.client.HTTPConnection, int, str], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where clients hand in, and the headers of each of them."""

    port: int
    path: str
    tokens: Sequence[str]

    def headers(self, client: int, key: str) -> dict[str, str]:
        named = {"Content-Type": "application/json", "Idempotency-Key": key}
        return named | ({"Authorization": f"Bearer {self.tokens[client % len(self.tokens)]}"} if self.tokens else {})


def main() -> int:
    """Measure, print, and return 1 if a bound is broken."""
    print(f"{platform.node()}: {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="lp-bench-") as folder, postgres.restartable(durable=True) as database:
        var = Path(folder) / "var"
        os.environ |= {"LAUNCHPLANE_VAR": str(var), "LAUNCHPLANE_DATABASE_URL": database.url}
        os.environ |= {"LAUNCHPLANE_EVIDENCE_PER_MINUTE": "1000000"}
        prepare_django()
        make_peer()
        tokens = make_senders()
        with served("launchplane.wsgi") as port, served("tests.bench.bare.wsgi") as bare_port:
            ours, bare = Target(port, OURS, tokens), Target(bare_port, PEER, ())
            broken = compare(ours, bare)
            return broken | survive(ours, database)


def make_senders() -> list[str]:
    """The tokens of an operator's programs, and the host that they tell of."""
    from tests.access.making import a_token
    from tests.factories import a_host, a_person

    a_host("ci-1")
    owner = a_person()
    return [a_token(owner) for _ in range(TOKENS)]


@contextmanager
def served(application: str) -> Iterator[int]:
    """`application` under the product's gunicorn, on a port of its own."""
    from django.db import connections

    connections.close_all()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    environment = os.environ | {"LAUNCHPLANE_PORT": str(port)}
    if application.startswith("tests."):
        environment |= {"DJANGO_SETTINGS_MODULE": "tests.bench.bare.settings"}
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:launchplane.server.gunicorn_config", application]
    process = subprocess.Popen(gunicorn, env=environment, cwd=PROJECT)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")


def compare(ours: Target, bare: Target) -> int:
    """Both in turn, each with the same clients and records."""
    own, other = [], []
    for number in range(-1, ROUNDS):  # one before that counts, so that both have their connections
        theirs, mine = rate(bare, f"b{number}"), rate(ours, f"r{number}")
        if number >= 0:
            other.append(theirs)
            own.append(mine)
    ratio = statistics.median(mine / theirs for mine, theirs in zip(own, other, strict=True))
    print(f"{CLIENTS} clients, {EACH} records each, median of {ROUNDS}, on PostgreSQL with fsync:")
    print(f"a bare route, the same row behind a counter: {statistics.median(other):.0f} a second")
    print(f"evidence, in the chain and the segments: {statistics.median(own):.0f} a second")
    print(f"{ratio:.2f} x (at least {AT_LEAST:g})")
    return int(ratio < AT_LEAST)


def rate(target: Target, round_: str) -> float:
    """Records a second, from the moment that every client is connected until the last one has finished."""
    seconds, answers = at_once(target, round_, retrying=False)
    if any(status != 201 for status, _ in answers.values()):
        raise AssertionError(f"not taken: {next(answer for answer in answers.values() if answer[0] != 201)}")
    return len(answers) / seconds


def at_once(
    target: Target, round_: str, *, retrying: bool, meanwhile: Callable[[], None] = lambda: None
) -> tuple[float, dict[str, tuple[int, bytes]]]:
    """The seconds that all clients take together, and what was answered to each key."""
    answers: dict[str, tuple[int, bytes]] = {}
    ready = threading.Barrier(CLIENTS + 1)
    clients = [
        threading.Thread(target=hand_in, args=(target, number, round_, answers, ready, retrying), daemon=True)
        for number in range(CLIENTS)
    ]
    for thread in clients:
        thread.start()
    ready.wait(60)
    started = time.perf_counter()
    meanwhile()
    for thread in clients:
        thread.join(GIVE_UP_SECONDS)
    seconds = time.perf_counter() - started
    if len(answers) != CLIENTS * EACH:
        raise AssertionError(f"{len(answers)} answers to {CLIENTS * EACH} records")
    return seconds, answers


def hand_in(
    target: Target,
    client: int,
    round_: str,
    answers: dict[str, tuple[int, bytes]],
    ready: threading.Barrier,
    retrying: bool,
) -> None:
    """One client: one record after the other; if told so, each until it is taken, under the same Idempotency-Key."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    connection.connect()
    ready.wait(60)
    for count in range(EACH):
        key = f"{round_}-{client}-{count}"
        body, headers = json.dumps(a_record(key)), target.headers(client, key)
        answers[key] = call(connection, target.path, body, headers)
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while retrying and answers[key][0] != 201 and time.monotonic() < deadline:
            time.sleep(0.2)
            answers[key] = call(connection, target.path, body, headers)
    connection.close()


def call(connection: http.client.HTTPConnection, path: str, body: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body, or 0 and why there is none. The next call connects anew."""
    try:
        connection.request("POST", path, body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return 0, repr(error).encode()


def a_record(key: str) -> dict[str, Any]:
    from launchplane.api import examples

    return examples.HYGIENE | {"key": key}


def survive(ours: Target, database: postgres.Server) -> int:
    """Hand in while the database is stopped and started, and look for each record afterwards."""
    from audits.models import AuditRecord

    before = AuditRecord.objects.count()

    def restart() -> None:
        time.sleep(1.0)
        database.stop()
        time.sleep(1.0)
        database.start()

    close_own_connections()
    _seconds, answers = at_once(ours, "restart", retrying=True, meanwhile=restart)
    found = AuditRecord.objects.filter(kind="hygiene.evidence", key__startswith="restart-")
    kept = dict(found.values_list("key", "hash"))
    told = {key: json.loads(body)["receipt"]["hash"] for key, (_status, body) in answers.items()}
    intact = subprocess.run([sys.executable, str(PROJECT / "manage.py"), "audits", "verify"], check=False).returncode
    doubled = found.count() - len(kept)
    print(
        f"database restarted meanwhile: {len(told)} handed in, {len(kept)} kept, {doubled} doubled, of {before} before"
    )
    return int(kept != told or doubled != 0 or len(told) != CLIENTS * EACH or intact != 0)


def close_own_connections() -> None:
    from django.db import connections

    connections.close_all()
