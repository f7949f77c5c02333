"""Verifying a piece of the chain from a page, what was redacted or came from outside, and who sent it."""

import pytest
from django.test import Client

from audits import lines, outside, sign
from audits.models import AuditRecord
from launchplane.access.models import User
from tests.audits.making import a_record, sql
from tests.factories import a_person
from tests.web.reading import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client: Client, operator: User) -> Client:
    client.force_login(a_person("auditor", group="Auditors"))
    return client


@pytest.fixture
def ten(monkeypatch: pytest.MonkeyPatch, client: Client) -> list[AuditRecord]:
    monkeypatch.setattr(lines, "AT_ONCE", 4)
    return [a_record(key=f"change-{number}") for number in range(10)]


@pytest.mark.req("X15")
def test_the_chain_is_verified_piece_by_piece_to_its_head(client: Client, ten: list[AuditRecord]) -> None:
    first, last = ten[0].seq, ten[-1].seq
    page = client.get(f"/audit/{first}/verify/")
    assert f"intact Records #{first} to #{first + 3} are what they were" in text_of(page)
    assert f'href="/audit/{first + 4}/verify/"' in page.content.decode()
    assert "This is the head of the chain." in text_of(client.get(f"/audit/{last}/verify/"))


@pytest.mark.req("X15")
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE audits_auditrecord SET payload = '{}' WHERE seq = %s", "was altered: its payload"),
        ("UPDATE audits_auditrecord SET actor_name = 'x' WHERE seq = %s", "was altered: its hash"),
        ("DELETE FROM audits_auditrecord WHERE seq = %s", "is missing"),
    ],
)
def test_a_damaged_record_is_named(client: Client, ten: list[AuditRecord], damage: str, said: str) -> None:
    sql(damage, str(ten[2].seq))
    page = text_of(client.get(f"/audit/{ten[0].seq}/verify/"))
    assert f"Record {ten[2].seq} {said}" in page
    assert "intact" not in page


def test_it_says_by_which_signed_head_it_was_verified(client: Client, ten: list[AuditRecord]) -> None:
    assert "No head was signed here or later" in text_of(client.get(f"/audit/{ten[-1].seq}/verify/"))
    sign.checkpoint()
    assert "No signed head is among them. The next one" in text_of(client.get(f"/audit/{ten[0].seq}/verify/"))
    assert f"record #{ten[-1].seq} is still that one" in text_of(client.get(f"/audit/{ten[-1].seq}/verify/"))


def test_what_was_taken_out_is_told(client: Client) -> None:
    row = a_record(payload={"password": "hunter2", "mode": "apply"})
    assert "not all is here 1 × [redacted]: a secret" in text_of(client.get(f"/audit/{row.seq}/"))


def test_what_came_from_outside_is_marked_with_its_sender(client: Client) -> None:
    row = a_record(kind=outside.HYGIENE)
    assert "from outside This is what ann (user:7) says." in text_of(client.get(f"/audit/{row.seq}/"))


def test_senders_are_listed_with_their_last_record(client: Client) -> None:
    assert "Nothing came from outside yet." in text_of(client.get("/audit/senders/"))
    a_record(kind=outside.LANE)
    last = a_record(kind=outside.LANE)
    page = text_of(client.get("/audit/senders/"))
    assert f"ann user:7 lane.evidence 2 #{last.seq} " in page
