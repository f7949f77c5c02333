"""`script/bench export`: taking a million records away over HTTP, beside PostgreSQL's own COPY of the same columns.

The records are planted in bulk, with a chain that holds. The pages' own server sends them, as it runs in earnest; what
arrives has to verify by docs/verify_audit.py. COPY and the server reach PostgreSQL through the same socket.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from tests import postgres
from tests.bench.audit import CHANGE, PAYLOAD
from tests.bench.inventory import prepare_django
from tests.web_server import WebServer, web_server

RECORDS = 1_000_000
ROUNDS = 3
AT_LEAST = 0.25
MEGABYTES_AT_MOST = 150
LOOKS = 200
READ_AT_ONCE = 256 * 1024
LIST = "/v1/evidence/runner-host-hygiene/audits?limit=100"
SCRIPT = Path(__file__).parents[2] / "docs" / "verify_audit.py"
COLUMNS = (
    "seq, at, kind, key, host, lane, actor_id, actor_name, responsible, source, status, payload, payload_hash, "
    "prev_hash, hash"
)


def main() -> int:
    """Measure, print, and return 1 if a bound is broken."""
    print(f"{platform.node()}: {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="lp-bench-") as name, postgres.server() as url:
        folder = Path(name)
        settings = {"LAUNCHPLANE_VAR": str(folder / "var"), "LAUNCHPLANE_DATABASE_URL": url}
        os.environ |= settings
        prepare_django()
        header = an_auditor_s_bearer()
        plant(RECORDS)
        with web_server(settings, folder / "log") as server:
            return measure(server, header, folder / "export.ndjson")


def measure(server: WebServer, header: dict[str, str], file: Path) -> int:
    """Both ways in turn, so that what else runs weighs on both alike."""
    copied, exported = [], []
    for _ in range(ROUNDS):
        copied.append(RECORDS / copy_all())
        exported.append(RECORDS / take_away(server, header, file))
    ratio = statistics.median(ours / theirs for ours, theirs in zip(exported, copied, strict=True))
    megabytes = max(map(peak_megabytes, workers_of(server)))
    print(f"{RECORDS:,} records of {file.stat().st_size // RECORDS} bytes, median of {ROUNDS}:")
    print(f"COPY: {statistics.median(copied):,.0f} a second")
    print(f"over HTTP: {statistics.median(exported):,.0f} a second, {ratio:.2f} x (at least {AT_LEAST:g})")
    print(f"a process that serves: {megabytes:.0f} MB at most (at most {MEGABYTES_AT_MOST})")
    print(verified(file))
    tell_depth(server, header)
    return int(ratio < AT_LEAST or megabytes > MEGABYTES_AT_MOST)


def copy_all() -> float:
    """Seconds that COPY takes for the same columns."""
    from django.db import connection

    started = perf_counter()
    with connection.cursor() as cursor, cursor.copy(f"COPY audits_auditrecord ({COLUMNS}) TO STDOUT") as copy:
        for _ in copy:
            pass
    return perf_counter() - started


def take_away(server: WebServer, header: dict[str, str], file: Path) -> float:
    """Seconds until the export has arrived in `file`."""
    started = perf_counter()
    connection = server.connection()
    connection.request("GET", "/v1/evidence/export", headers=header)
    answer = connection.getresponse()
    if answer.status != 200:
        raise AssertionError(answer.read())
    with file.open("wb") as out:
        while piece := answer.read(READ_AT_ONCE):
            out.write(piece)
    connection.close()
    return perf_counter() - started


def verified(file: Path) -> str:
    """What the script for outsiders says. Raises CalledProcessError if it finds anything."""
    done = subprocess.run([sys.executable, "-I", str(SCRIPT), str(file)], check=True, stdout=subprocess.PIPE, text=True)
    return f"docs/verify_audit.py: {done.stdout.splitlines()[0]}"


def tell_depth(server: WebServer, header: dict[str, str]) -> None:
    """What a page of the list takes at the newest record, and at the first ones."""
    top, bottom = [], []
    for _ in range(LOOKS):
        top.append(a_look(server, header, LIST))
        bottom.append(a_look(server, header, f"{LIST}&before={min(RECORDS, 200)}"))
    ratio = statistics.median(bottom) / statistics.median(top)
    print(f"a page of the list: {statistics.median(top) * 1000:.1f} ms, {ratio:.2f} x that a million records deeper")


def a_look(server: WebServer, header: dict[str, str], address: str) -> float:
    started = perf_counter()
    status, text = server.get(address, **header)
    if status != 200:
        raise AssertionError(text)
    return perf_counter() - started


def workers_of(server: WebServer) -> list[int]:
    """The processes that serve."""
    return [int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]


def peak_megabytes(pid: int) -> float:
    """The most that a process ever had in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def an_auditor_s_bearer() -> dict[str, str]:
    from launchplane.access.actions import Action
    from tests.access.making import a_token, bearer
    from tests.factories import a_person

    auditor = a_person("auditor", group="Auditors")
    return bearer(a_token(auditor, [Action.EVIDENCE_EXPORT, Action.HYGIENE_AUDIT_READ]))


def plant(up_to: int) -> None:
    """Records behind those that there are, up to number `up_to`: by COPY, as appending them would take an hour."""
    from django.db import connection

    from audits import triggers
    from audits.models import ChainHead

    triggers.take_down(connection)
    rows = rows_behind(ChainHead.objects.get(), up_to)
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY audits_auditrecord ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        ChainHead.objects.update(seq=up_to, hash=row[-1])
        cursor.execute("ANALYZE")
    triggers.ensure(using="default")


def rows_behind(head: object, up_to: int) -> Iterator[tuple[object, ...]]:
    """Rows whose chain goes on behind `head`, a second apart."""
    from audits import chain
    from audits.contracts import Actor, Record
    from audits.models import moment
    from launchplane.canonical import canonical

    before, after = canonical(PAYLOAD | {"number": 0}).decode().split('"number":0')
    actor = Actor(id="user:7", name="ann", responsible=("user:7",))
    kind, host, people, begun = "hygiene.dangling", "chris-testing", '["user:7"]', datetime(2026, 1, 8, tzinfo=UTC)
    previous = head.hash  # type: ignore[attr-defined]  # Django is not ready where this file is read
    for seq in range(head.seq + 1, up_to + 1):  # type: ignore[attr-defined]
        at, payload = begun + timedelta(seconds=seq), f'{before}"number":{seq}{after}'
        said = chain.sha256(payload)
        record = Record.model_construct(
            seq=seq,
            at=moment(at),
            kind=kind,
            key=CHANGE,
            host=host,
            lane="",
            actor=actor,
            source="web",
            status="planned",
            payload=payload,
            payload_hash=said,
            prev_hash=previous,
            hash="",
        )
        own = chain.record_hash(record)
        who = (actor.id, actor.name, people, "web", "planned")
        yield (seq, at, kind, CHANGE, host, "", *who, payload, said, previous, own)
        previous = own
