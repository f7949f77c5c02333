"""Who gets in at `/v1` by an API token, and that nothing else does. A bad bearer is 401, whatever comes with it."""

import http.client
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.live_server_helper import LiveServer

from audits.models import AuditRecord
from launchplane.access import tokens
from launchplane.access.actions import Action
from launchplane.access.models import ApiToken, User
from launchplane.access.people import Principal
from launchplane.hosts.models import Host
from tests.access.making import a_token, bearer, made_token
from tests.api.reading import problem, read
from tests.factories import a_host, a_person, allow

pytestmark = pytest.mark.django_db


def names(client: Client, token: str) -> list[str]:
    found = client.get("/v1/hosts", headers=bearer(token))
    assert found.status_code == 200, found.content
    return [host["name"] for host in found.json()["hosts"]]


def refused(client: Client, header: str, **more: Any) -> tuple[int, str]:
    response = client.get("/v1/hosts", headers={"Authorization": header}, **more)
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="launchplane"')
    return problem(response)


@pytest.mark.req("H51")
def test_a_token_lets_its_owner_s_program_in(client: Client, person: User, host: Host) -> None:
    assert names(client, a_token(person, [Action.HOST_READ])) == ["ci-1"]


def test_a_token_goes_no_further_than_its_actions(client: Client, person: User, host: Host) -> None:
    response = client.get("/v1/hosts", headers=bearer(a_token(person, [Action.LANE_READ])))

    assert problem(response) == (403, "not_granted")


def test_a_token_goes_no_further_than_its_hosts(client: Client, person: User, host: Host) -> None:
    other = a_host("ci-2")

    assert names(client, a_token(person, hosts=[other])) == ["ci-2"]
    assert names(client, a_token(person, hosts=[])) == []


def test_a_token_goes_no_further_than_what_its_owner_may_do_right_now(client: Client, host: Host) -> None:
    a_host("ci-2")
    guest = a_person("guest", group="")
    allow(guest, "hosts.view_host", host)
    token = a_token(guest)
    assert names(client, token) == ["ci-1"]

    host.hostuserobjectpermission_set.all().delete()

    assert names(client, token) == []


@pytest.mark.req("H51")
@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer lp_a lp_b",
        "Bearer lp_a,Bearer lp_b",
        "Basic b3BlcmF0b3I6cGFzc3dvcmQ=",
        "Token lp_000000000000_0000000000000000000000000000000000000000000",
        "lp_000000000000_0000000000000000000000000000000000000000000",
        "Bearer “lp_a”",
        "Bearer lp_a\x00",
        "Bearer lp_a\n",
    ],
)
def test_a_header_that_is_no_bearer_is_refused_beside_a_good_session(session: Client, host: Host, header: str) -> None:
    assert refused(session, header) == (401, "bearer_malformed")


@pytest.mark.parametrize(
    "text",
    [
        "lp_",
        "lp_x",
        "lp_000000000000_" + "0" * 43,
        "lp_000000000000_" + "0" * 44,
        "lp_" + "0" * 7000,
        "ghp_" + "a" * 36,
        "anything",
    ],
)
def test_a_token_that_is_none_is_refused_beside_a_good_session(session: Client, host: Host, text: str) -> None:
    assert refused(session, f"Bearer {text}") == (401, "token_unknown")


def test_a_token_with_one_other_character_is_refused(client: Client, person: User) -> None:
    token = a_token(person)
    other = token[:-1] + ("A" if token[-1] != "A" else "B")

    assert refused(client, f"Bearer {other}") == (401, "token_unknown")


@pytest.mark.parametrize("size", [8_001, 20_000_000])
def test_a_token_that_is_too_long_is_refused_unread(session: Client, size: int) -> None:
    assert refused(session, "Bearer " + "a" * size) == (401, "token_too_long")


def test_a_token_that_is_over_is_refused(session: Client, person: User) -> None:
    made = made_token(person)
    ApiToken.objects.update(expires_at=timezone.now())

    assert refused(session, f"Bearer {made.text}") == (401, "token_expired")


def test_a_token_that_was_revoked_is_refused(session: Client, person: User) -> None:
    made = made_token(person)
    tokens.revoke(made.row, by=Principal.person(person, source="web"))

    assert refused(session, f"Bearer {made.text}") == (401, "token_revoked")


def test_a_token_of_somebody_who_was_deactivated_is_refused(client: Client, person: User) -> None:
    token = a_token(person)
    User.objects.update(is_active=False)

    assert refused(client, f"Bearer {token}") == (401, "token_owner_inactive")


def test_the_scheme_is_written_in_any_case(client: Client, person: User, host: Host) -> None:
    token = a_token(person)

    assert client.get("/v1/hosts", headers={"Authorization": f"bEARER {token}"}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_headers_are_refused_though_each_were_good(live_server: LiveServer, person: User) -> None:
    token, address = a_token(person), urlsplit(live_server.url)
    line = http.client.HTTPConnection(address.hostname or "", address.port)
    line.putrequest("GET", "/v1/hosts")
    for _ in range(2):
        line.putheader("Authorization", f"Bearer {token}")
    line.endheaders()

    assert line.getresponse().status == 401
    line.close()


def test_what_was_refused_is_on_record_with_its_code(client: Client, person: User) -> None:
    made = made_token(person, name="nightly")
    tokens.revoke(made.row, by=Principal.person(person, source="web"))
    refused(client, f"Bearer {made.text}")

    record = AuditRecord.objects.latest("seq")

    assert (record.kind, record.status, record.source, record.actor_id) == (
        "access.denied",
        "failed",
        "api",
        f"token-{made.row.pk}",
    )
    assert record.actor_name == "operator by token nightly"
    assert '"code":"token_revoked"' in record.payload
    assert '"from":"127.0.0.1"' in record.payload


def test_a_flood_of_bad_tokens_fills_no_audit(client: Client, db: None) -> None:
    for number in range(70):
        assert refused(client, f"Bearer lp_{number}") == (401, "token_unknown")

    told = AuditRecord.objects.filter(kind="access.denied")
    assert told.count() == 60
    assert "Further refusals of the same are not recorded" in told.latest("seq").payload


ADDRESSES_TO_SEND_TO = [
    "/v1/changes",
    "/v1/evidence/runner-host-hygiene/audits",
    "/v1/evidence/runner-lane-maintainer/audits",
]


@pytest.mark.parametrize("address", ADDRESSES_TO_SEND_TO)
def test_a_session_alone_changes_nothing_and_is_told_so(person: User, host: Host, address: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)

    assert problem(strict.post(address, {}, content_type="application/json")) == (403, "session_only_reads")


@pytest.mark.parametrize("address", ADDRESSES_TO_SEND_TO)
def test_nobody_is_told_to_log_in_and_nothing_of_a_form(host: Host, address: str) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert problem(strict.post(address, {}, content_type="application/json")) == (401, "not_authenticated")


@pytest.mark.parametrize("address", ADDRESSES_TO_SEND_TO)
def test_a_bad_bearer_beside_a_session_sends_nothing(session: Client, host: Host, address: str) -> None:
    sent = session.post(address, {}, content_type="application/json", headers=bearer("lp_x"))

    assert problem(sent) == (401, "token_unknown")


def test_nobody_at_all_is_told_how_to_get_in(client: Client, host: Host) -> None:
    response = client.get("/v1/hosts")

    assert problem(response) == (401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="launchplane"'


def test_the_last_use_is_noted_once_a_minute(client: Client, person: User, host: Host) -> None:
    made = made_token(person)
    used = ApiToken.objects.values_list("last_used_at", "last_used_from")
    names(client, made.text)
    first = used.get()
    names(client, made.text)
    assert used.get() == first
    assert first[1] == "127.0.0.1"

    long_ago = timezone.now() - timedelta(seconds=61)
    ApiToken.objects.update(last_used_at=long_ago)
    names(client, made.text)

    assert used.get()[0] != long_ago


def test_to_look_at_a_token_costs_two_queries(
    client: Client, person: User, host: Host, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = made_token(person, hosts=[host])
    names(client, made.text)

    with django_assert_num_queries(2):
        tokens.caller_with(made.text, address="127.0.0.1")


def test_the_description_names_both_doors(client: Client) -> None:
    described = read(client, "/v1/openapi.json")

    assert described["paths"]["/v1/hosts"]["get"]["security"] == [{"Bearer": []}, {"ReadingSession": []}]
    assert described["components"]["securitySchemes"]["Bearer"] == {"type": "http", "scheme": "bearer"}
