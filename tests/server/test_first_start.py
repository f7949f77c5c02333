"""The first two people: made once, with passwords that are told and nowhere kept."""

import logging

import pytest
from django.contrib.auth import authenticate
from django.db import connection

from launchplane.access.models import User
from launchplane.server.first_start import create_first_accounts

pytestmark = pytest.mark.django_db


def everything_in_the_database() -> str:
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own table names
            rows += cursor.fetchall()
    return repr(rows)


def test_an_operator_and_an_approver_are_made_in_their_groups() -> None:
    create_first_accounts()
    groups = {user.username: [group.name for group in user.groups.all()] for user in User.objects.all()}
    assert groups == {"operator": ["Operators"], "approver": ["Approvers"]}
    assert not User.objects.filter(is_superuser=True).exists()


def test_they_can_log_in_with_what_was_told_and_it_counts_as_initial() -> None:
    for account in create_first_accounts():
        user = authenticate(username=account.username, password=account.password)
        assert isinstance(user, User)
        assert user.password_is_initial


def test_no_password_is_guessable_or_the_same() -> None:
    first, second = (account.password for account in create_first_accounts())
    assert first != second
    assert len(first) == len(second) == 23


def test_no_password_is_in_the_database_in_clear() -> None:
    accounts = create_first_accounts()
    stored = everything_in_the_database()
    assert "operator" in stored
    assert not any(account.password in stored for account in accounts)


def test_no_password_is_logged_or_represented(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        accounts = create_first_accounts()
    assert not any(account.password in caplog.text + repr(accounts) for account in accounts)


def test_where_somebody_is_nobody_is_made() -> None:
    User.objects.create_user("somebody")
    assert create_first_accounts() == []
    assert User.objects.count() == 1
