"""Looking again at a host where nothing happened writes next to nothing."""

import pytest
from django.db import connection

from hygiene.models import ImageLayers, Resource, SnapshotDocument
from hygiene.services import observe_host
from launchplane.hosts.models import Contact, Host
from tests.writes import Writes

pytestmark = [pytest.mark.engine, pytest.mark.django_db]


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
