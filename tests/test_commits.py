"""What is executed without waiting for the disk is stored all the same, and only that does not wait."""

import pytest
from django.db import DatabaseError, connection, transaction

from launchplane.commits import execute_without_waiting
from launchplane.hosts.models import Host
from tests.factories import a_host

NOTED = f"UPDATE {Host._meta.db_table} SET notes = %s WHERE name = %s"  # noqa: S608  a name of ours


@pytest.fixture
def host(transactional_db: None) -> Host:
    return a_host()


def waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit" if connection.vendor == "postgresql" else "PRAGMA synchronous")
        return cursor.fetchone()[0] in ("on", 2)


def notes(host: Host) -> str:
    host.refresh_from_db()
    return host.notes


def test_it_is_committed_and_the_next_commit_waits_again(host: Host) -> None:
    assert execute_without_waiting(NOTED, ["seen", host.name]) == 1
    connection.close()
    assert (notes(host), waits()) == ("seen", True)


def test_it_tells_how_many_rows_it_touched(host: Host) -> None:
    assert execute_without_waiting(NOTED, ["seen", "another"]) == 0


def test_a_statement_that_fails_leaves_a_connection_that_waits(host: Host) -> None:
    with pytest.raises(DatabaseError):
        execute_without_waiting("UPDATE no_such_table SET a = 1", [])
    assert waits()


def test_the_same_connection_waits_after_it(host: Host) -> None:
    execute_without_waiting(NOTED, ["seen", host.name])
    assert waits()


def test_within_a_transaction_it_is_a_part_of_that(host: Host) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        execute_without_waiting(NOTED, ["seen", host.name])
        raise ZeroDivisionError
    assert notes(host) == ""
