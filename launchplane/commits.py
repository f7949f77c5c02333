"""Commits that do not wait for the disk: for what is worth less than the wait, should the whole machine die."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction


def execute_without_waiting(statement: str, values: Sequence[Any]) -> int:
    """Execute one statement by itself and return how many rows it touched. Everybody sees at once what it did.

    It outlives this process however that ends, and reaches the disk with the next ordinary commit of anybody: only a
    machine that loses power before that forgets it (sqlite.org/pragma.html#pragma_synchronous; synchronous_commit in
    PostgreSQL's manual). Within a transaction it is a part of that.
    """
    if connection.in_atomic_block:
        return _execute(statement, values)
    if connection.vendor == "postgresql":
        with transaction.atomic():
            _execute("SET LOCAL synchronous_commit TO off")
            return _execute(statement, values)
    _execute("PRAGMA synchronous=NORMAL")
    try:
        return _execute(statement, values)
    finally:
        _execute("PRAGMA synchronous=FULL")


def _execute(statement: str, values: Sequence[Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
