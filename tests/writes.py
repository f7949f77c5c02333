"""How many rows are written, on either database."""

from collections.abc import Callable
from typing import Any


class Writes:
    """Counts the rows that every INSERT, UPDATE and DELETE within it changed."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            # SQLite does not count the rows of an INSERT that returns something: they are counted as they were written
            inserted = sql.count("), (") + 1 if sql.startswith("INSERT") else 0
            self.rows += max(context["cursor"].rowcount, inserted)
        return result
