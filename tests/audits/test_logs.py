"""A secret that gets into a log line or a traceback stays out of what is written."""

import logging
from io import StringIO
from typing import Any

from django.conf import settings

from audits.logs import RedactingFormatter
from audits.redact import LIVE, REDACTED

TOKEN = "QWERTYUIOPASDFGHJKLZXCVBNM234"


def test_log_lines_and_tracebacks_hold_no_live_secret() -> None:
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(RedactingFormatter("{message}", style="{"))
    logger = logging.Logger("of a test")
    logger.addHandler(handler)
    with LIVE.holding(TOKEN):
        try:
            raise RuntimeError(f"config.sh refused {TOKEN}")
        except RuntimeError:
            logger.exception("with %s", TOKEN)
    assert TOKEN not in written.getvalue()
    assert written.getvalue().startswith(f"with {REDACTED}\nTraceback (most recent call last):")


def test_our_logs_are_written_like_that() -> None:
    logs: dict[str, Any] = dict(settings.LOGGING)
    formatters = {logs["formatters"][handler["formatter"]]["()"] for handler in logs["handlers"].values()}
    assert formatters == {"audits.logs.RedactingFormatter"}


def test_our_own_secrets_are_known_by_value() -> None:
    assert LIVE.text(f"with {settings.SECRET_KEY}!") == f"with {REDACTED}!"
