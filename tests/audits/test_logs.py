"""A secret that gets into a log line or a traceback stays out of what is written."""

import logging
import multiprocessing
import os
import queue
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django_q.worker import worker
from gunicorn.config import Config

from audits.logs import RedactingFormatter
from audits.redact import LIVE, REDACTED, WITHHELD
from launchplane.server import gunicorn_config

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


def test_an_exception_that_leaves_with_a_secret_is_logged_without_it() -> None:
    """By then nobody holds the secret any more."""
    formatter = RedactingFormatter("{message}", style="{")
    try:
        with LIVE.holding(TOKEN):
            raise RuntimeError(f"config.sh refused {TOKEN}")
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed", (), sys.exc_info())
    assert REDACTED in formatter.format(record)
    assert TOKEN not in formatter.format(record)


def test_a_log_line_that_cannot_be_put_together_is_withheld() -> None:
    record = logging.LogRecord("x", logging.ERROR, "/srv/x.py", 7, "%d bytes", (TOKEN,), None)
    assert RedactingFormatter("{message}", style="{").format(record) == f"{WITHHELD} ERROR /srv/x.py:7"


def in_a_process(program: str) -> str:
    """What a process of ours complains about that runs `program` and fails."""
    begin = f"import django; django.setup(); from audits.redact import LIVE; LIVE.register({TOKEN!r}); "
    child = os.environ | {"DJANGO_SETTINGS_MODULE": "launchplane.settings"}
    done = subprocess.run(
        [sys.executable, "-c", begin + program],
        env=child,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "program",
    [
        f"raise RuntimeError({TOKEN!r})",
        f"import threading; threading.Thread(target=lambda: int({TOKEN!r})).start()",
        f"import logging; logging.getLogger('django.request').error('with %s', {TOKEN!r})",
        f"import logging; logging.getLogger('django-q').error('with %s', {TOKEN!r})",
        f"import logging; logging.getLogger('of.somebody.else').error('with %s', {TOKEN!r}, stack_info=True)",
    ],
)
def test_nothing_that_a_process_says_holds_a_live_secret(program: str) -> None:
    said = in_a_process(program)
    assert REDACTED in said
    assert TOKEN not in said


def leak(token: str) -> None:
    raise RuntimeError(f"refused {token}")


@pytest.mark.django_db
def test_what_a_failed_task_leaves_in_the_queue_holds_no_live_secret() -> None:
    """django-q keeps the exception and its traceback, whose lines show the code but not what the names stood for."""
    tasks: Any = queue.Queue()
    results: Any = queue.Queue()
    tasks.put({"id": "1", "name": "x", "func": leak, "args": (TOKEN,), "kwargs": {}})
    tasks.put("STOP")
    with LIVE.holding(TOKEN):
        worker(tasks, results, multiprocessing.Value("f", -1))
    kept = results.get()["result"]
    assert kept.startswith(f"refused {REDACTED} : Traceback")
    assert TOKEN not in kept


def test_our_logs_are_written_like_that() -> None:
    logs: dict[str, Any] = dict(settings.LOGGING)
    formatters = {logs["formatters"][handler["formatter"]]["()"] for handler in logs["handlers"].values()}
    assert formatters == {"audits.logs.RedactingFormatter"}


def test_our_own_secrets_are_known_by_value() -> None:
    assert LIVE.text(f"with {settings.SECRET_KEY}!") == f"with {REDACTED}!"


def test_gunicorn_s_own_log_holds_no_live_secret(capfd: pytest.CaptureFixture[str]) -> None:
    config = Config()
    config.set("logger_class", gunicorn_config.logger_class)
    log = config.logger_class(config)
    try:
        with LIVE.holding(TOKEN):
            log.error("Error handling request %s", TOKEN)
            try:
                leak(TOKEN)
            except RuntimeError:
                log.exception("Exception in worker process")
    finally:
        log.error_log.handlers.clear()
    said = capfd.readouterr().err
    assert f"Error handling request {REDACTED}" in said
    assert "Exception in worker process" in said
    assert TOKEN not in said
