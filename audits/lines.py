"""Records straight from the database as their lines, for whoever reads very many: no models, no contracts.

A line has the very bytes of `segments.line`; a test holds the two against each other. What somebody altered in the
database comes out as it stands there: to judge is for those who verify.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from django.db import connection

from audits.models import AuditRecord

AT_ONCE = 2000
AT_ONCE_BYTES = 2 * 1024 * 1024

# seq, at, kind, key, host, lane, actor_id, actor_name, responsible (JSON), source, status, payload and three hashes
Row = tuple[int, str, str, str, str, str, str, str, str, str, str, str, str, str, str]

_TABLE = AuditRecord._meta.db_table
# as `models.moment` says it, whatever the server's date style, and however SQLite holds a whole second
_AT = {
    "postgresql": """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "sqlite": "substr(at, 1, 10) || 'T' || substr(substr(at, 12) || '.000000', 1, 15) || 'Z'",
}
# neither reads the text for it where it is long
_SIZE = {"postgresql": "octet_length(payload)", "sqlite": "length(CAST(payload AS BLOB))"}
_PAGE = """
    SELECT seq, {at}, kind, key, host, lane, actor_id, actor_name, CAST(responsible AS text), source, status, payload,
        payload_hash, prev_hash, hash
    FROM {table}
    WHERE seq > %(after)s AND seq <= (
        SELECT coalesce(max(seq), %(after)s + 1) FROM (
            SELECT seq, sum({size}) OVER (ORDER BY seq) AS bytes
            FROM {table} WHERE seq > %(after)s AND seq <= %(last)s
        ) AS sized WHERE bytes <= %(bytes)s
    )
    ORDER BY seq
"""


def page(*, after: int, up_to: int) -> list[Row]:
    """The next records after number `after`, in order: at most AT_ONCE, and of AT_ONCE_BYTES if more than one.

    One short query: nothing stays open in the database while whoever asked for them takes them away.
    """
    vendor = connection.vendor
    statement = _PAGE.format(table=_TABLE, at=_AT[vendor], size=_SIZE[vendor])
    last = min(after + AT_ONCE, up_to)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"after": after, "last": last, "bytes": AT_ONCE_BYTES})
        rows: list[Row] = cursor.fetchall()
    return rows


def text_of(rows: Sequence[Row]) -> str:
    """The lines of `rows`, in ASCII."""
    return "".join(map(_line, rows))


@lru_cache(maxsize=1024)
def compact(text: str) -> str:
    """A JSON list as a database writes it, as a line has it."""
    return json.dumps(json.loads(text), separators=(",", ":"))


def _line(row: Row) -> str:
    seq, at, kind, key, host, lane, actor, name, people, source, status, payload, payload_hash, prev_hash, own = row
    return (
        f'{{"seq":{seq},"at":{quoted(at)},"kind":{quoted(kind)},"key":{quoted(key)},"host":{quoted(host)},'
        f'"lane":{quoted(lane)},"actor":{{"id":{quoted(actor)},"name":{quoted(name)},"responsible":{compact(people)}}},'
        f'"source":{quoted(source)},"status":{quoted(status)},"payload":{quoted(payload)},'
        f'"payload_hash":{quoted(payload_hash)},"prev_hash":{quoted(prev_hash)},"hash":{quoted(own)}}}\n'
    )
