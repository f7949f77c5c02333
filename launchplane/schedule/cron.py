"""Cron expressions: five fields, UTC."""

import re
from datetime import UTC, datetime
from typing import Final

from croniter import CroniterError, croniter

VALUE: Final = r"(?:[0-9]{1,2}|sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
PART: Final = rf"(?:\*|{VALUE}(?:-{VALUE})?)(?:/[0-9]{{1,2}})?"
FIELD: Final = re.compile(rf"{PART}(?:,{PART})*", re.IGNORECASE | re.ASCII)


class BadCron(ValueError):
    """The text is no five-field cron expression, or one that never comes."""


def next_time(expression: str, after: datetime) -> datetime:
    """The first time after `after` (aware) that `expression` names, in UTC. Raises BadCron.

    Only what crontab(5) knows: of croniter's own words `R` and `H` name another time each time they are asked.
    """
    fields = expression.split()
    if len(fields) != 5:
        raise BadCron(f"{expression[:80]!r} has not five fields: minute hour day month weekday, such as */5 * * * *")
    if strange := next((field for field in fields if not FIELD.fullmatch(field)), None):
        raise BadCron(f"{expression[:80]!r} is no cron expression: {strange[:80]!r} is no number, name, range or step")
    try:
        found = croniter(expression, after.astimezone(UTC)).get_next(datetime)
    except (CroniterError, ValueError, KeyError) as error:
        raise BadCron(f"{expression[:80]!r} is no cron expression: {error}") from error
    return found.astimezone(UTC)
