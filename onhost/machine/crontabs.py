"""Pruning jobs in crontabs and in the script folders that cron runs."""

from __future__ import annotations

import re

from onhost.machine.survey import Survey

CRONTABS = ("/etc/crontab", "/etc/anacrontab")
CRONTAB_FOLDERS = ("/etc/cron.d", "/var/spool/cron/crontabs", "/var/spool/cron")
SCRIPT_FOLDERS = ("/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly")
RUN_PARTS_NAME = r"[A-Za-z0-9_-]+"


def cron_prunes(survey: Survey) -> None:
    """Adds what cron would run. A script that `run-parts` passes over (its name or mode) is not enabled."""
    for path in _crontabs(survey):
        for job in jobs(survey.text(path)):
            if what := survey.prune_of(job):
                survey.add(path, what, enabled=True)
    for folder in SCRIPT_FOLDERS:
        for name in survey.names(folder):
            _script(survey, folder, name)


def jobs(crontab: str) -> list[str]:
    """Lines that are jobs: no comments, no settings. Cron joins no lines, so neither does this."""
    lines = (line.strip() for line in crontab.splitlines())
    return [line for line in lines if line and not line.startswith("#") and not re.match(r"\w+\s*=", line)]


def _crontabs(survey: Survey) -> list[str]:
    below = [f"{folder}/{name}" for folder in CRONTAB_FOLDERS for name in survey.names(folder)]
    return [*CRONTABS, *(path for path in below if path not in CRONTAB_FOLDERS)]


def _script(survey: Survey, folder: str, name: str) -> None:
    path = f"{folder}/{name}"
    if what := survey.prune_in_script(path):
        survey.add(path, what, enabled=re.fullmatch(RUN_PARTS_NAME, name) is not None and survey.is_executable(path))
