"""`POST /v1/evidence/…/audits`: what is stored, and what its sender is told."""


import pytest

from audits.models import AuditRecord
from launchplane.hosts.models import Host
from tests.api.sending import HYGIENE, Sender, planned

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(host: Host) -> Sender:
    return Sender()


@pytest.mark.req("H51", "H52", "H50")
def test_a_record_is_stored_in_the_chain_and_its_sender_gets_a_receipt(sender: Sender) -> None:
    response = sender.send(planned())

    assert response.status_code == 201, response.content
    row = AuditRecord.objects.get(kind="hygiene.evidence")
    assert response.json() == {
        "key": "nightly-2026-01-08",
        "kind": "hygiene.evidence",
        "host": "ci-1",
        "action": "build-cache",
        "mode": "apply",
        "status": "planned",
        "source": "api",
        "sender": row.actor_name,
        "occurred_at": "2026-01-08T10:30:05Z",
        "recorded_at": row.as_record().at,
        "receipt": {"seq": row.seq, "hash": row.hash},
        "url": f"{HYGIENE}/nightly-2026-01-08",
        "predicted_bytes": 31_000_000_000,
        "actual_bytes": None,
        "failures": 0,
    }
    assert response["Location"] == f"{HYGIENE}/nightly-2026-01-08"
