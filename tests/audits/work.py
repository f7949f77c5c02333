"""What a database does for some queries, counted: it is the same on any machine, however busy that is."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import connection

MANY = 18_000
# of three hosts and lanes; one record of a kind that is rare, early in the chain, and one source that comes once
PLANTED = """
INSERT INTO audits_auditrecord (seq, at, kind, key, host, lane, actor_id, actor_name, responsible, source, status,
                                payload, payload_hash, prev_hash, hash)
SELECT n, CURRENT_TIMESTAMP,
       CASE WHEN n = 5 THEN 'hygiene.retire' WHEN n %% 3 = 0 THEN 'lane.evidence' ELSE 'hygiene.evidence' END,
       'key-' || (n / 2), CASE WHEN n = 7 THEN 'ci-rare' ELSE 'ci-' || (n %% 3) END,
       CASE WHEN n %% 3 = 0 THEN 'lane-' || (n %% 6) ELSE '' END,
       'token:1', 'ann', '[]', CASE WHEN n = 9 THEN 'web' ELSE 'api' END, 'planned', '{}', '', %s || n, %s || (n + 1)
FROM (WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < CAST(%s AS integer))
      SELECT n FROM numbers) AS planted
"""


def plant_many(sql: Callable[..., None], count: int = MANY) -> None:
    """As the database's owner: records that nobody verifies, for tests of what is read of them."""
    sql(PLANTED, "hash-", "hash-", str(count))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def work_of(read: Callable[[], object]) -> int:
    """How much the database does for it: rows looked at (PostgreSQL), hundreds of steps of its machine (SQLite)."""
    return _rows_of(read) if connection.vendor == "postgresql" else _steps_of(read)


def _steps_of(read: Callable[[], object]) -> int:
    steps = 0

    def one_more() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(one_more, 100)
    try:
        read()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps


def _rows_of(read: Callable[[], object]) -> int:
    rows = 0

    def explained(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Mapping[str, Any]) -> Any:
        nonlocal rows
        with connection.connection.cursor() as cursor:
            told = cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params).fetchone()[0]
        rows += sum(_looked_at(told if isinstance(told, list) else json.loads(told)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        read()
    return rows


def _looked_at(found: Any) -> Iterator[int]:
    """Of each scan in a plan: the rows that it gave, and those that it looked at in vain."""
    if isinstance(found, list):
        for part in found:
            yield from _looked_at(part)
    elif isinstance(found, dict):
        if "Scan" in str(found.get("Node Type")):
            once = sum(int(found.get(name, 0)) for name in ("Actual Rows", "Rows Removed by Filter"))
            yield once * int(found["Actual Loops"])
        for part in found.values():
            yield from _looked_at(part)
