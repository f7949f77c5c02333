"""Triggers that keep records append-only, whoever asks the database: put up after every migration, and checked.

They refuse update, delete and truncate of records, and an insert anywhere but at the end, which is what INSERT OR
REPLACE would be. The head may only go forward by one. A database's owner can take triggers down: that is what the
chain, the segments and the signed heads are for.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.core import checks
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

RECORDS, HEAD = "audits_auditrecord", "audits_chainhead"
SAYS = "audit records are append-only"

logger = logging.getLogger(__name__)

_REFUSE = f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
_NOT_AT_THE_END = f"NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM {RECORDS})"  # noqa: S608  names of ours
SQLITE = {
    name: f"CREATE TRIGGER {name} {when} {_REFUSE}"
    for name, when in {
        "audits_record_update": f"BEFORE UPDATE ON {RECORDS}",
        "audits_record_delete": f"BEFORE DELETE ON {RECORDS}",
        "audits_record_insert": f"BEFORE INSERT ON {RECORDS} WHEN {_NOT_AT_THE_END}",
        "audits_head_update": f"BEFORE UPDATE ON {HEAD} WHEN NEW.seq IS NOT OLD.seq + 1 OR NEW.id IS NOT OLD.id",
        "audits_head_delete": f"BEFORE DELETE ON {HEAD}",
        "audits_head_insert": f"BEFORE INSERT ON {HEAD} WHEN EXISTS (SELECT 1 FROM {HEAD})",  # noqa: S608
    }.items()
}

_RAISE = f"RAISE EXCEPTION '{SAYS}' USING ERRCODE = 'integrity_constraint_violation';"
FUNCTIONS = {
    "audits_refuse": f"BEGIN {_RAISE} END",
    "audits_at_the_end": (
        "DECLARE next bigint; BEGIN "  # noqa: S608
        "EXECUTE format('SELECT coalesce(max(seq), 0) + 1 FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO next; "
        f"IF NEW.seq IS DISTINCT FROM next THEN {_RAISE} END IF; RETURN NEW; END"
    ),
    "audits_forward": (
        f"BEGIN IF NEW.seq IS DISTINCT FROM OLD.seq + 1 OR NEW.id <> OLD.id THEN {_RAISE} END IF; RETURN NEW; END"
    ),
}
# name: (table, when, function); a statement's trigger also fires where no row matches
POSTGRESQL = {
    "audits_record_kept": (RECORDS, "BEFORE UPDATE OR DELETE OR TRUNCATE", "STATEMENT", "audits_refuse"),
    "audits_record_insert": (RECORDS, "BEFORE INSERT", "ROW", "audits_at_the_end"),
    "audits_head_kept": (HEAD, "BEFORE DELETE OR TRUNCATE", "STATEMENT", "audits_refuse"),
    "audits_head_update": (HEAD, "BEFORE UPDATE", "ROW", "audits_forward"),
}


def ensure(*, using: str, **_: Any) -> None:
    """Put up what is missing or was changed; for `post_migrate`: SQLite loses triggers when a table is rebuilt."""
    connection = connections[using]
    if not (gone := missing(connection)):
        return
    if len(gone) < len(_wanted(connection)) or _holds_records(connection):
        logger.warning("Audit triggers were missing and are put back: %s", ", ".join(gone))
    take_down(connection)
    _put_up(connection)


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of the triggers that are not there as they should be; none while the tables are not there either."""
    if not {RECORDS, HEAD} <= set(connection.introspection.table_names()):
        return []
    present = _present(connection)
    return [name for name, text in _wanted(connection).items() if present.get(name) != text]


def take_down(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers. Tests do this before they flush the tables; nothing else has a reason to."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            for name, (table, *_) in POSTGRESQL.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")


@checks.register(checks.Tags.database)
def check_triggers(*, databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """An error for each database that would let records be altered."""
    return [
        checks.Error(
            f"Audit records can be altered: triggers are missing or changed ({', '.join(gone)}).",
            hint="Find out why, run `manage.py audits verify`, then `manage.py migrate --skip-checks` puts them back.",
            id="audits.E001",
        )
        for alias in databases or []
        if (gone := missing(connections[alias]))
    ]


def _wanted(connection: BaseDatabaseWrapper) -> Mapping[str, str]:
    """By name what must be there: the whole statement on SQLite, the function's text on PostgreSQL."""
    if connection.vendor == "sqlite":
        return SQLITE
    return {name: FUNCTIONS[function] for name, (*_, function) in POSTGRESQL.items()}


def _present(connection: BaseDatabaseWrapper) -> dict[str, str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        else:  # 'A': fires always, also for a session that calls itself a replica
            cursor.execute(
                "SELECT tgname, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
                "WHERE tgenabled = 'A' AND tgrelid IN (%s::regclass, %s::regclass)",
                [RECORDS, HEAD],
            )
        return dict(cursor.fetchall())


def _put_up(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for statement in SQLITE.values():
                cursor.execute(statement)
            return
        for name, body in FUNCTIONS.items():
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$"
            )
        for name, (table, when, each, function) in POSTGRESQL.items():
            cursor.execute(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()")
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def _holds_records(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {RECORDS})")  # noqa: S608  a name of ours
        return bool(cursor.fetchone()[0])
