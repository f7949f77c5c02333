"""`script/bench audit`: appending on PostgreSQL beside inserting the same row behind a counter, and verifying.

Both ways run with the same clients, each a process with a connection of its own, on one server whose commits reach the
disk. Ours redacts, hashes and links each record, and returns when its line is synced in the segments; the peer is plain
SQL on a copy of the table with the same indexes.
"""

import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from time import perf_counter
from typing import Any

from tests import postgres
from tests.bench.inventory import prepare_django

CLIENTS = 8
EACH = 250
ROUNDS = 5
AT_LEAST = 0.5
VERIFIED = 100_000
VERIFIED_SECONDS = 5.0
PROJECT = Path(__file__).parents[2]

CHANGE = "f1d6a7e0-5c5e-4c0e-9f0f-0d8f4f6b8f11"
PAYLOAD = {
    "change": CHANGE,
    "kind": "hygiene.dangling",
    "subject": "",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "requester": "ann",
    "from": "approved",
    "to": "applying",
    "about": "applying",
    "mode": "apply",
    "predicted_bytes": 148_520_000_000,
    "gates": [
        {"name": name, "state": "open", "reason": f"{name}: looked at a moment ago, and nothing stands against it"}
        for name in ("identity", "fresh", "freeze", "lock")
    ],
    "fencing_token": 17,
    "approver": "ben",
    "approved_because": "136 images of last week's builds, none of them in use",
}


def main() -> int:
    """Measure, print, and return 1 if a bound is broken."""
    print(f"{platform.node()}: {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="lp-bench-") as folder, postgres.server(durable=True) as url:
        os.environ |= {"LAUNCHPLANE_VAR": str(Path(folder) / "var"), "LAUNCHPLANE_DATABASE_URL": url}
        prepare_django()
        broken = compare()
        verify_many(Path(folder))
        return broken


def compare() -> int:
    """Both ways in turn, each with the same number of clients and records."""
    make_peer()
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(at_once(insert_as_the_peer))
        ours.append(at_once(append_ours))
    ratio = statistics.median(own / other for own, other in zip(ours, theirs, strict=True))
    print(f"{CLIENTS} clients, {EACH} records each, median of {ROUNDS}, on PostgreSQL with fsync:")
    print(f"the same row behind a counter: {statistics.median(theirs):.0f} a second")
    print(f"audit records, in the segments with them: {statistics.median(ours):.0f} a second")
    print(f"{ratio:.2f} x (at least {AT_LEAST:g})")
    return int(ratio < AT_LEAST)


def at_once(act: Callable[[int], None]) -> float:
    """Records a second, from the moment that every client is ready until the last one has finished."""
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("fork")
    ready, go = context.Barrier(CLIENTS + 1), context.Barrier(CLIENTS + 1)
    clients = [context.Process(target=client, args=(act, number, ready, go)) for number in range(CLIENTS)]
    for process in clients:
        process.start()
    ready.wait(60)
    started = perf_counter()
    go.wait(60)
    for process in clients:
        process.join()
    seconds = perf_counter() - started
    if any(process.exitcode for process in clients):
        raise AssertionError("a client failed")
    return CLIENTS * EACH / seconds


def client(act: Callable[[int], None], number: int, ready: Any, go: Any) -> None:
    from django.db import connection

    connection.ensure_connection()
    ready.wait(60)
    go.wait(60)
    for count in range(EACH):
        act(number * EACH + count)
    connection.close()


def append_ours(number: int) -> None:
    from audits.contracts import Actor
    from audits.record import append

    append(
        kind="hygiene.dangling",
        key=CHANGE,
        status="planned",
        payload=PAYLOAD | {"number": number},
        actor=Actor(id="user:7", name="ann", responsible=("user:7",)),
        source="web",
        host="chris-testing",
    )


def make_peer() -> None:
    """A table like ours, with the same indexes, and a counter beside it."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE peer (LIKE audits_auditrecord INCLUDING ALL)")
        cursor.execute("CREATE TABLE peer_counter (id int PRIMARY KEY, seq bigint, hash varchar(64))")
        cursor.execute("INSERT INTO peer_counter VALUES (1, 0, repeat('0', 64))")


def insert_as_the_peer(number: int) -> None:
    """The row that `append_ours` stores, as plain SQL."""
    from django.db import connection, transaction
    from django.utils import timezone

    from launchplane.canonical import canonical

    payload = canonical(PAYLOAD | {"number": number}).decode()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT seq, hash FROM peer_counter WHERE id = 1 FOR UPDATE")
        seq, previous = cursor.fetchone()
        own = f"{seq + 1:064x}"
        said = ["hygiene.dangling", CHANGE, "chris-testing", "", "user:7", "ann", '["user:7"]', "web", "planned"]
        row = [seq + 1, timezone.now(), *said, payload, own, previous, own]
        cursor.execute(INSERT, row)
        cursor.execute("UPDATE peer_counter SET seq = %s, hash = %s WHERE id = 1", [seq + 1, own])


INSERT = (
    "INSERT INTO peer (seq, at, kind, key, host, lane, actor_id, actor_name, responsible, source, status, payload, "
    "payload_hash, prev_hash, hash) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def verify_many(folder: Path) -> None:
    """How long it takes to look at very many records: ours, and the script for outsiders."""
    make_records()
    file = folder / "export.ndjson"
    manage = [sys.executable, str(PROJECT / "manage.py"), "audits"]
    tell("manage.py audits verify (with the segments)", measured([*manage, "verify"]))
    tell("manage.py audits export", measured([*manage, "export"], to=file))
    tell("manage.py audits verify EXPORT", measured([*manage, "verify", str(file)]))
    tell(
        "docs/verify_audit.py EXPORT",
        measured([sys.executable, "-I", str(PROJECT / "docs/verify_audit.py"), str(file)]),
    )


def make_records() -> None:
    """As many records as are to be verified, in the database and the segments. Appending them takes too long here."""
    from django.db import connection
    from django.utils import timezone

    from audits import chain, segments, triggers
    from audits.models import AuditRecord, ChainHead

    last = AuditRecord.objects.latest("seq")
    rows, hash_before = [], last.hash
    for seq in range(last.seq + 1, VERIFIED + 1):
        row = copy(last)
        row.seq, row.prev_hash, row.at = seq, hash_before, timezone.now()
        row.hash = hash_before = chain.record_hash(row.as_record())
        rows.append(row)
    triggers.take_down(connection)
    AuditRecord.objects.bulk_create(rows, batch_size=1000)
    ChainHead.objects.update(seq=VERIFIED, hash=hash_before)
    triggers.ensure(using="default")
    segments.flush()


def tell(what: str, figures: tuple[float, float]) -> None:
    seconds, cpu_seconds = figures
    print(f"{what}: {VERIFIED:,} records in {seconds:.1f} s, {cpu_seconds:.1f} s of CPU (aim: {VERIFIED_SECONDS:g} s)")


def measured(command: Sequence[str], *, to: Path | None = None) -> tuple[float, float]:
    """What a command takes that must end well: seconds, start-up included, and those of its own processor time."""
    started = perf_counter()
    with (to or Path(os.devnull)).open("wb") as out:
        process = subprocess.Popen(command, stdout=out)
        _pid, status, used = os.wait4(process.pid, 0)
    seconds = perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        raise AssertionError(f"{command} failed")
    return seconds, used.ru_utime + used.ru_stime
