"""Edits in the settings leave who changed what, from what to what."""

import json
from typing import Any

import pytest
from django.test import Client

from audits.models import AuditRecord
from hygiene.models import Protection
from launchplane.hosts.models import Host
from tests.factories import a_host, a_person


@pytest.fixture
def host(db: None) -> Host:
    return a_host()


@pytest.fixture
def visitor(client: Client, host: Host) -> Client:
    client.force_login(a_person())
    return client


def last() -> tuple[str, str, str, dict[str, Any]]:
    record = AuditRecord.objects.latest("seq")
    return record.kind, record.actor_name, record.host, json.loads(record.payload)


def test_adding_changing_and_deleting_a_protection_is_on_record(visitor: Client, host: Host) -> None:
    typed = {"host": host.pk, "kind": "image", "pattern": "^keep", "reason": "seed"}
    assert visitor.post("/admin/hygiene/protection/add/", typed).status_code == 302
    kind, who, where, payload = last()
    assert (kind, who, where) == ("edit.protection", "operator", "chris-testing")
    assert payload["values"]["pattern"] == {"before": None, "after": "^keep"}
    protection = Protection.objects.get(pattern="^keep")
    address = f"/admin/hygiene/protection/{protection.pk}"
    visitor.post(f"{address}/change/", typed | {"reason": "seed of CI"})
    assert last()[3]["values"] == {"reason": {"before": "seed", "after": "seed of CI"}}
    visitor.post(f"{address}/delete/", {"post": "yes"})
    assert last()[3]["what"] == "deleted protection image ^keep"


def test_an_opt_in_is_on_record(visitor: Client, host: Host) -> None:
    typed = {
        "docker_url": host.docker_url,
        "minimum_free_bytes": "20 GB",
        "reclaimable_limit_bytes": "50 GB",
        "workdir_limit_bytes": "50 GB",
        "pressure_percent": "80",
        "approved": "on",
        "hygiene_enabled": "on",
    }
    assert visitor.post(f"/admin/hosts/host/{host.pk}/change/", typed).status_code == 302
    kind, who, _where, payload = last()
    assert (kind, who) == ("edit.host", "operator")
    assert payload["values"]["hygiene_enabled"] == {"before": False, "after": True}


def test_saving_without_a_change_is_no_edit(visitor: Client, host: Host) -> None:
    protection = Protection.objects.create(host=host, kind="image", pattern="^keep", reason="seed")
    before = AuditRecord.objects.count()
    typed = {"kind": "image", "pattern": "^keep", "reason": "seed"}
    visitor.post(f"/admin/hygiene/protection/{protection.pk}/change/", typed)
    assert AuditRecord.objects.count() == before
