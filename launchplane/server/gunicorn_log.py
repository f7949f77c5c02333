"""Gunicorn's own log, which has handlers of its own: it goes through the same formatter as everything else."""

from typing import Any

from gunicorn.glogging import Logger

from audits.logs import RedactingFormatter


class RedactingLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Writes errors without secrets. There is no access log."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(RedactingFormatter(self.error_fmt, self.datefmt))
