"""Cron expressions: five fields, UTC."""

from datetime import UTC, datetime

from croniter import CroniterError, croniter


class BadCron(ValueError):
    """The text is no five-field cron expression, or one that never comes."""


def next_time(expression: str, after: datetime) -> datetime:
    """The first time after `after` (aware) that `expression` names, in UTC. Raises BadCron."""
    if len(expression.split()) != 5:
        raise BadCron(f"{expression[:80]!r} has not five fields: minute hour day month weekday, such as */5 * * * *")
    try:
        found = croniter(expression, after.astimezone(UTC)).get_next(datetime)
    except (CroniterError, ValueError, KeyError) as error:
        raise BadCron(f"{expression[:80]!r} is no cron expression: {error}") from error
    return found.astimezone(UTC)
