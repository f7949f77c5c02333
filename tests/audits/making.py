"""Records for the tests of audits."""

from typing import Any

from django.db import connection

from audits import triggers
from audits.contracts import Actor
from audits.export import Extent, export, lines_of
from audits.models import AuditRecord
from audits.record import append

ANN = Actor(id="user:7", name="ann", responsible=("user:7",))


def a_record(**fields: Any) -> AuditRecord:
    """Append one record; `fields` replaces what it says."""
    said: dict[str, Any] = {
        "kind": "hygiene.retire",
        "key": "f1d6a7e0-5c5e-4c0e-9f0f-0d8f4f6b8f11",
        "status": "planned",
        "payload": {"mode": "apply", "free_bytes": 1_000_000},
        "actor": ANN,
        "source": "web",
        "host": "chris-testing",
    }
    return append(**said | fields)


def sql(statement: str, *values: str) -> None:
    """As the database's owner, who can take triggers down and put them up again."""
    triggers.take_down(connection)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    triggers.ensure(using="default")


def exported_lines(extent: Extent | None = None) -> list[bytes]:
    """The lines of an export, of the whole chain if nothing else is asked for."""
    return b"".join(export() if extent is None else lines_of(extent)).splitlines(keepends=True)
