"""Log lines, tracebacks and what a failed task leaves in the queue's tables: all without secrets."""

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

from audits.redact import LIVE, WITHHELD


class RedactingFormatter(logging.Formatter):
    """Formats as any other, and then takes out what must not be read."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            return LIVE.text(super().format(record))
        except Exception:  # logging itself would print the arguments as they are
            return f"{WITHHELD} {record.levelname} {record.pathname}:{record.lineno}"


def watch_tracebacks() -> None:
    """From now on what nobody caught is printed without secrets, whichever thread it ended."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_a_thread


def redact_result(task: dict[str, Any], **_: Any) -> None:
    """For django-q's `post_execute_in_worker`: what failed has its exception and traceback as its result."""
    if isinstance(task.get("result"), str):
        task["result"] = LIVE.text(task["result"])


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(LIVE.text("".join(traceback.format_exception(kind, error, trace))))


def _uncaught_in_a_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and failed.exc_type is not SystemExit:
        _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)
