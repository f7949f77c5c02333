"""The database itself refuses to alter records, whoever asks, and tells when it cannot."""

import logging
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import Error, connection, models, transaction

from audits import triggers
from audits.models import AuditRecord, ChainHead
from tests.audits.making import a_record

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS = "seq, at, kind, key, host, lane, actor_id, actor_name, responsible, source, status, payload"


def refused(statement: str) -> None:
    """`statement`, as the application's own role, changes nothing."""
    before = list(AuditRecord.objects.values()), list(ChainHead.objects.values())
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (list(AuditRecord.objects.values()), list(ChainHead.objects.values())) == before


@pytest.mark.req("H50")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audits_auditrecord SET payload = '{}' WHERE seq = 1",
        "UPDATE audits_auditrecord SET seq = 9 WHERE seq = 2",
        "DELETE FROM audits_auditrecord WHERE seq = 2",
        "DELETE FROM audits_auditrecord",
        f"INSERT INTO audits_auditrecord SELECT {COLUMNS}, payload_hash, 'a', 'b' FROM audits_auditrecord LIMIT 1",  # noqa: S608
        "UPDATE audits_chainhead SET seq = 1",
        "UPDATE audits_chainhead SET seq = seq, hash = 'x'",
        "DELETE FROM audits_chainhead",
    ],
)
def test_records_and_their_head_cannot_be_altered(statement: str) -> None:
    a_record()
    a_record()
    refused(statement)


@pytest.mark.parametrize("pragma", ["ON", "OFF"])
def test_sqlite_replaces_no_record(pragma: str) -> None:
    """Without recursive_triggers a replaced row passes the trigger on delete: the one on insert does not rely on it."""
    if connection.vendor != "sqlite":
        pytest.skip("a statement of SQLite")
    a_record()
    a_record()
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA recursive_triggers = {pragma}")
    forged = f"SELECT {COLUMNS.replace('payload', repr('{}'))}, payload_hash, prev_hash, hash"
    refused(f"INSERT OR REPLACE INTO audits_auditrecord {forged} FROM audits_auditrecord WHERE seq = 1")
    refused(f"REPLACE INTO audits_auditrecord {forged} FROM audits_auditrecord WHERE seq = 2")
    refused("INSERT OR REPLACE INTO audits_chainhead (id, seq, hash) VALUES (1, 0, 'x')")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers = ON")


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE audits_auditrecord",
        "TRUNCATE audits_auditrecord, audits_chainhead CASCADE",
        "TRUNCATE audits_chainhead",
        "SET session_replication_role = replica; DELETE FROM audits_auditrecord",
        "INSERT INTO audits_auditrecord SELECT * FROM audits_auditrecord WHERE seq = 2 "
        "ON CONFLICT (seq) DO UPDATE SET payload = '{}'",
    ],
)
def test_postgresql_truncates_and_overwrites_nothing(statement: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a statement of PostgreSQL")
    a_record()
    a_record()
    refused(statement)


def test_a_flush_is_refused_outside_of_tests() -> None:
    a_record()
    with pytest.raises(Error, match="append-only"):
        triggers_of_the_flush()
    assert AuditRecord.objects.count() == 1


def triggers_of_the_flush() -> None:
    """What `manage.py flush` executes."""
    from django.core.management.color import no_style
    from django.core.management.sql import sql_flush

    connection.ops.execute_sql_flush(sql_flush(no_style(), connection))


def test_a_table_that_is_rebuilt_gets_its_triggers_back(caplog: pytest.LogCaptureFixture) -> None:
    """SQLite drops them: any AlterField does that."""
    a_record()
    old = AuditRecord._meta.get_field("kind")
    new = models.CharField(max_length=300)
    new.set_attributes_from_name("kind")
    new.model = AuditRecord
    with connection.schema_editor() as editor:
        editor.alter_field(AuditRecord, old, new)
    if connection.vendor == "sqlite":
        assert triggers.missing(connection)
    with connection.schema_editor() as editor:
        editor.alter_field(AuditRecord, new, old)
    call_command("migrate", verbosity=0)
    assert triggers.missing(connection) == []
    refused("DELETE FROM audits_auditrecord")


def without(name: str) -> None:
    """Take one trigger down, as a database's owner can."""
    on = "" if connection.vendor == "sqlite" else f" ON {triggers.POSTGRESQL[name][0]}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{on}")


def every_trigger() -> list[str]:
    return list(triggers.SQLITE if connection.vendor == "sqlite" else triggers.POSTGRESQL)


@pytest.mark.req("H50")
def test_a_missing_trigger_is_an_error_that_says_what_to_do() -> None:
    call_command("check", databases=["default"])
    for name in every_trigger():
        without(name)
        said = "".join(str(message) for message in triggers.check_triggers(databases=["default"]))
        assert name in said
        with pytest.raises(SystemCheckError, match=f"(?s){name}.*audits verify.*--skip-checks"):
            call_command("check", databases=["default"], stderr=StringIO())


@pytest.mark.req("H50")
def test_migrate_puts_each_missing_trigger_back_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    a_record()
    a_record()
    for name in every_trigger():
        without(name)
        with caplog.at_level(logging.WARNING, logger="audits.triggers"):
            triggers.ensure(using="default")
        assert f"missing and are put back: {name}" in caplog.text
    assert triggers.missing(connection) == []
    refused("DELETE FROM audits_auditrecord")
    refused("DELETE FROM audits_chainhead")


def test_migrate_itself_does_so() -> None:
    without(every_trigger()[0])
    call_command("migrate", verbosity=0, skip_checks=True)
    assert triggers.missing(connection) == []


def test_a_trigger_that_does_nothing_any_more_counts_as_missing() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER audits_record_update")
            cursor.execute(
                "CREATE TRIGGER audits_record_update BEFORE UPDATE ON audits_auditrecord BEGIN SELECT 1; END"
            )
            assert triggers.missing(connection) == ["audits_record_update"]
        else:
            cursor.execute("ALTER TABLE audits_auditrecord DISABLE TRIGGER audits_record_kept")
            assert triggers.missing(connection) == ["audits_record_kept"]
            cursor.execute(
                "CREATE OR REPLACE FUNCTION audits_at_the_end() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN NEW; END $$"
            )
            assert triggers.missing(connection) == ["audits_record_kept", "audits_record_insert"]
