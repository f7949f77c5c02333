"""Records straight from the database as their lines, for whoever reads very many: no models, no contracts.

A line has the very bytes of `segments.line`; a test holds the two against each other. What somebody altered in the
database comes out as it stands there: to judge is for those who verify.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from audits.models import AuditRecord

AT_ONCE = 1000
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
_FIELDS = (
    "seq, {at}, kind, key, host, lane, actor_id, actor_name, CAST(responsible AS text), source, status, payload, "
    "payload_hash, prev_hash, hash"
)
_ASKED = f"FROM {_TABLE} WHERE seq > %(after)s AND seq <= %(last)s"
_ALL = f"SELECT {_FIELDS} {_ASKED} AND (SELECT sum({{size}}) {_ASKED}) <= %(bytes)s ORDER BY seq"
_SIZED = f"SELECT seq, sum({{size}}) OVER (ORDER BY seq) AS bytes {_ASKED}"
_FITTING = f"SELECT coalesce(max(seq), %(after)s + 1) FROM ({_SIZED}) AS sized WHERE bytes <= %(bytes)s"  # noqa: S608
_AS_MANY_AS_FIT = f"SELECT {_FIELDS} {_ASKED} AND seq <= ({_FITTING}) ORDER BY seq"


def pages(*, after: int, up_to: int) -> Iterator[list[Row]]:
    """What `page` gives, one page after the other, as long as there are some; the next is read while one is taken away.

    That is one page in memory, and nothing open in the database. The connection is nobody else's meanwhile.
    """
    here = connections[DEFAULT_DB_ALIAS]
    here.inc_thread_sharing()
    try:
        with ThreadPoolExecutor(max_workers=1) as reader:
            coming = reader.submit(page, after=after, up_to=up_to, through=here)
            while rows := coming.result():
                coming = reader.submit(page, after=rows[-1][0], up_to=up_to, through=here)
                yield rows
    finally:
        here.dec_thread_sharing()


def page(*, after: int, up_to: int, through: BaseDatabaseWrapper | None = None) -> list[Row]:
    """The next records after number `after`, in order: at most AT_ONCE, and of AT_ONCE_BYTES if more than one.

    Short queries: nothing stays open in the database while whoever asked for them takes them away.
    """
    if after >= up_to:
        return []
    here = through or connections[DEFAULT_DB_ALIAS]
    asked = {"after": after, "last": min(after + AT_ONCE, up_to), "bytes": AT_ONCE_BYTES}
    return _rows(here, _ALL, asked) or _rows(here, _AS_MANY_AS_FIT, asked)


def _rows(here: BaseDatabaseWrapper, statement: str, asked: dict[str, int]) -> list[Row]:
    with here.cursor() as cursor:
        cursor.execute(statement.format(at=_AT[here.vendor], size=_SIZE[here.vendor]), asked)
        rows: list[Row] = cursor.fetchall()
    return rows


def text_of(rows: Sequence[Row]) -> str:
    """The lines of `rows`, in ASCII."""
    return "".join(map(_line, rows))


def people(text: str) -> list[str]:
    """The people of `responsible`, as a database writes them."""
    found: list[str] = json.loads(text)
    return found


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
