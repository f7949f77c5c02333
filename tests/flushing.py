"""What a test with transactions of its own leaves in the database: away again, without building anything anew.

Django's own flush empties every table and has every application enter again what it does after a migration. Here only
tables that are not as they were after the migration are emptied, and get back the rows that they had.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audits import triggers

REFERENCES = {
    "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"),
    "postgresql": ("SET session_replication_role = replica", "SET session_replication_role = DEFAULT"),
}


class Rows(NamedTuple):
    """All of one table, by the names of its columns: a test may have rebuilt it in another order."""

    columns: str
    rows: list[tuple[Any, ...]]


class AsMigrated:
    """The rows of every table, as they are when this is made; `restore` brings them about again."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        self._tables = connection.introspection.table_names()
        self._kept = {table: self._read(table) for table in self._filled()}

    def restore(self) -> None:
        """Every row is as it was, and every trigger. Numbers that were given to rows are not given again."""
        changed = [table for table in self._filled() | set(self._kept) if self._differs(table)]
        if changed:
            triggers.take_down(self._connection)
            with self._without_references(), transaction.atomic(using=self._connection.alias):
                for table in changed:
                    self._refill(table)
        triggers.ensure(using=self._connection.alias)

    def _differs(self, table: str) -> bool:
        kept = self._kept.get(table)
        return kept is None or self._read(table, kept.columns) != kept

    def _filled(self) -> set[str]:
        """The tables with a row, by one question."""
        each = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {self._quoted(name)})" for name in self._tables)  # noqa: S608
        with self._connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(each))
            return {name for (name,) in cursor.fetchall()}

    def _read(self, table: str, columns: str = "*") -> Rows:
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM {self._quoted(table)}")  # noqa: S608
            names = [self._quoted(column[0]) for column in cursor.description]
            return Rows(", ".join(names), sorted(cursor.fetchall(), key=repr))

    def _refill(self, table: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self._quoted(table)}")  # noqa: S608
            if kept := self._kept.get(table):
                places = ", ".join("%s" for _ in kept.rows[0])
                into = f"INSERT INTO {self._quoted(table)} ({kept.columns}) VALUES ({places})"  # noqa: S608
                cursor.executemany(into, kept.rows)

    def _quoted(self, name: str) -> str:
        return self._connection.ops.quote_name(name)

    @contextmanager
    def _without_references(self) -> Iterator[None]:
        """Tables are emptied in any order; what refers to what is whole again at the end."""
        off, on = REFERENCES[self._connection.vendor]
        with self._connection.cursor() as cursor:
            cursor.execute(off)
            try:
                yield
            finally:
                cursor.execute(on)
