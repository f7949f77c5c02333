"""A bearer that let somebody in is in no record, log line, page or mail, in whatever form it comes back."""

import base64
import logging

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from audits import record
from audits.contracts import Actor
from audits.logs import RedactingFormatter
from hygiene.models import Snapshot
from launchplane.access import secrets_seen
from launchplane.access.models import User
from launchplane.hosts.models import Host
from tests.access.making import a_token, a_workflow, bearer
from tests.fakes.issuer import Issuer

pytestmark = [pytest.mark.django_db, pytest.mark.req("M45")]


def recorded(text: str) -> str:
    return record.append(
        kind="test", key="k", status="completed", payload={"said": text}, actor=Actor(id="x", name="x"), source="api"
    ).payload


def test_a_token_that_was_used_is_known_by_value(client: Client, person: User, host: Host) -> None:
    token = a_token(person)
    assert client.get("/v1/hosts", headers=bearer(token)).status_code == 200

    encoded = base64.b64encode(f"user:{token}".encode()).decode()

    assert token[-12:] not in recorded(f"curl -H {token}")
    assert encoded[-20:-4] not in recorded(encoded)


def test_so_is_a_workflow_s(client: Client, issuer: Issuer, host: Host) -> None:
    a_workflow()
    token = issuer.token()
    assert client.get("/v1/hosts", headers=bearer(token)).status_code == 200

    assert token[-24:] not in recorded(f"signed with {token[-24:]}")


def test_what_was_refused_takes_no_words_out_of_the_records_of_others(client: Client) -> None:
    for words in ("hygiene.build-cache", "lp_000000000000_hygiene-build-cache-hygiene-build-cache-hyg"):
        client.get("/v1/hosts", headers=bearer(words))

    assert "hygiene-build-cache" in recorded("hygiene-build-cache")


def test_no_more_than_a_few_are_kept_in_mind(person: User) -> None:
    for number in range(3 * secrets_seen.MOST):
        secrets_seen.remember(f"a-bearer-of-a-test-that-is-long-enough-{number}")

    assert len(secrets_seen._seen) == secrets_seen.MOST


def test_a_failure_here_shows_none(
    client: Client, person: User, host: Host, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ADMINS = [("Root", "root@example.org")]
    client.raise_request_exception = False
    Snapshot.objects.get().document.__class__.objects.update(compressed=b"torn")
    token = a_token(person)

    with caplog.at_level(logging.DEBUG):
        response = client.get("/v1/hosts/ci-1/inventory", headers=bearer(token))

    assert response.status_code == 500
    written = "\n".join(RedactingFormatter().format(line) for line in caplog.records)
    assert mail.outbox, "nothing was mailed, so nothing is shown of mails"
    mailed = "\n".join(f"{sent.subject}\n{sent.body}" for sent in mail.outbox)
    for told in (response.content.decode(), written, mailed):
        assert token[-30:] not in told
