"""Cron expressions: five fields, UTC, and a sentence for everything else."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from launchplane.schedule.cron import BadCron, next_time
from launchplane.schedule.models import validate_cron

NOW = datetime(2026, 11, 20, 12, 3, 30, tzinfo=UTC)


@pytest.mark.req("H59")
@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("*/5 * * * *", datetime(2026, 11, 20, 12, 5, tzinfo=UTC)),
        ("*/30 * * * *", datetime(2026, 11, 20, 12, 30, tzinfo=UTC)),
        ("0 3 * * *", datetime(2026, 11, 21, 3, 0, tzinfo=UTC)),
        ("0 0 * * mon", datetime(2026, 11, 23, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("  5   4 * *  * ", datetime(2026, 11, 21, 4, 5, tzinfo=UTC)),
        ("10-50/20,55 12 * Nov FRI-sat", datetime(2026, 11, 20, 12, 10, tzinfo=UTC)),
    ],
)
def test_the_next_time_is_the_first_that_comes(expression: str, following: datetime) -> None:
    assert next_time(expression, NOW) == following


def test_the_fields_are_utc_wherever_one_asks() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    found = next_time("0 3 * * *", there)
    assert found == datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "@daily",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "*/0 * * * *",
        "-1 * * * *",
        "x x x x x",
        "0 0 30 2 *",
        "0 0 31 4 *",
        "H H * * *",
        "R R * * *",
        "R(0-59) * * * *",
        "H(0-29)/5 * * * *",
        "R/5 * * * *",
        "0 0 L * *",
        "0 0 * * mon#2",
        "0 0 * * L5",
        "0 0 ? * *",
        "h 0 * * *",
        "١ * * * *",
        "* * * * *\0",
    ],
)
def test_what_is_no_cron_expression_or_never_comes_is_refused_with_a_sentence(expression: str) -> None:
    with pytest.raises(BadCron, match=r"has not five fields|is no cron expression"):
        next_time(expression, NOW)
    with pytest.raises(ValidationError):
        validate_cron(expression)


field = st.text(alphabet="*/-,0123456789LR#?monh()", max_size=6)


@given(st.text(max_size=30) | st.lists(field, min_size=5, max_size=5).map(" ".join))
def test_any_text_either_names_a_later_time_or_is_refused(expression: str) -> None:
    try:
        found = next_time(expression, NOW)
    except BadCron as bad:
        assert str(bad)
    else:
        assert found > NOW
