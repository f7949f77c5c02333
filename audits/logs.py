"""Log lines, tracebacks included, without secrets."""

import logging

from audits.redact import LIVE


class RedactingFormatter(logging.Formatter):
    """Formats as any other, and then takes out what must not be read."""

    def format(self, record: logging.LogRecord) -> str:
        return LIVE.text(super().format(record))
