"""Looking again at a host where nothing happened writes next to nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from hygiene.models import ImageLayers, Resource, SnapshotDocument
from hygiene.services import observe_host
from launchplane.hosts.models import Contact, Host

pytestmark = [pytest.mark.engine, pytest.mark.django_db]


class Writes:
    """Counts the rows that every INSERT, UPDATE and DELETE within it changed."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            # SQLite does not count the rows of an INSERT that returns something: they are counted as they were written
            inserted = sql.count("), (") + 1 if sql.startswith("INSERT") else 0
            self.rows += max(context["cursor"].rowcount, inserted)
        return result


def test_a_second_look_at_an_unchanged_engine_writes_few_rows(host: Host) -> None:
    observe_host(host, asked_by="a test")
    writes = Writes()

    with connection.execute_wrapper(writes):
        observe_host(host, asked_by="a test")

    assert 2 < writes.rows < 20


def test_a_second_look_at_an_unchanged_engine_stores_no_second_document(host: Host) -> None:
    first = observe_host(host, asked_by="a test").snapshot
    kept = counts()

    second = observe_host(host, asked_by="a test").snapshot

    assert first is not None
    assert second is not None
    assert first.pk != second.pk
    assert first.document_id == second.document_id
    assert counts() == kept


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in (SnapshotDocument, Resource, ImageLayers, Contact)}
