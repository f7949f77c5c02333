"""Who gets in at `/v1` by the OIDC token of a workflow: signed, for us, in time, of a trusted run, and once."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from audits.models import AuditRecord
from lanes.models import Lane
from launchplane.access.actions import Action
from launchplane.access.models import SpentToken, TrustedWorkflow
from launchplane.hosts.models import Host
from tests.access.making import a_workflow, bearer
from tests.api.reading import problem
from tests.factories import a_host
from tests.fakes.issuer import REPOSITORY_ID, Issuer

pytestmark = pytest.mark.django_db


def names(client: Client, token: str) -> list[str]:
    found = client.get("/v1/hosts", headers=bearer(token))
    assert found.status_code == 200, found.content
    return [host["name"] for host in found.json()["hosts"]]


def refused(client: Client, token: str) -> str:
    """The code of the 401, which is on record, too."""
    status, code = problem(client.get("/v1/hosts", headers=bearer(token)))
    assert status == 401
    assert f'"code":"{code}"' in AuditRecord.objects.filter(kind="access.denied").latest("seq").payload
    return code


def part(document: Any) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.req("H51")
def test_a_run_of_a_trusted_workflow_is_let_in(client: Client, issuer: Issuer, host: Host) -> None:
    a_workflow([Action.HOST_READ])

    assert names(client, issuer.token()) == ["ci-1"]


@pytest.mark.req("M7")
def test_a_repository_on_github_s_runners_needs_no_lane(client: Client, issuer: Issuer, host: Host) -> None:
    a_workflow()
    assert not Lane.objects.exists()

    assert names(client, issuer.token(runner_environment="github-hosted")) == ["ci-1"]


def test_it_goes_no_further_than_its_actions_and_hosts(client: Client, issuer: Issuer, host: Host) -> None:
    a_workflow([Action.HOST_READ], [a_host("ci-2")])

    assert names(client, issuer.token()) == ["ci-2"]
    assert problem(client.get("/v1/lanes", headers=bearer(issuer.token()))) == (403, "not_granted")


def test_a_subject_of_the_form_with_ids_makes_no_difference(client: Client, issuer: Issuer, host: Host) -> None:
    a_workflow()

    assert names(client, issuer.token(sub="repo:octo@42/app@4711:ref:refs/heads/main")) == ["ci-1"]
    assert names(client, issuer.token(sub=None)) == ["ci-1"]


@pytest.mark.parametrize(
    "changed",
    [
        {"repository_id": "4712"},  # made anew under the same name
        {"repository_owner_id": "43"},  # given to somebody else
        {"event_name": "issue_comment"},
        {"ref": "refs/heads/main2"},
        {"ref": None},
        {"environment": "Production"},
        {"environment": None},
        {"job_workflow_ref": "octo/app/.github/workflows/report.yml@refs/heads/other"},
        {"job_workflow_ref": None},
    ],
    ids=str,
)
def test_a_run_that_is_another_than_the_trusted_is_refused(
    client: Client, issuer: Issuer, changed: dict[str, Any]
) -> None:
    conditions: dict[str, Any] = {
        "ref": "refs/heads/main",
        "environment": "production",
        "workflow_ref": "octo/app/.github/workflows/report.yml@refs/heads/main",
    }
    a_workflow(**conditions)
    assert names(client, issuer.token(environment="production")) == []

    assert refused(client, issuer.token(**{"environment": "production", **changed})) == "workflow_not_trusted"


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "pull_request_review", "workflow_run"])
def test_a_run_that_may_be_a_stranger_s_code_is_never_let_in(client: Client, issuer: Issuer, event: str) -> None:
    a_workflow()
    TrustedWorkflow.objects.update(events=[event])

    assert refused(client, issuer.token(event_name=event)) == "token_event"


def test_two_rows_that_fit_let_nobody_in(client: Client, issuer: Issuer) -> None:
    a_workflow([Action.HOST_READ])
    a_workflow([Action.LANE_READ], ref="refs/heads/main")

    assert refused(client, issuer.token()) == "workflow_ambiguous"
    assert names(client, issuer.token(ref="refs/heads/other")) == []


@pytest.mark.parametrize("field", ["issuer", "audience"])
def test_a_row_of_another_issuer_or_audience_lets_nobody_in(client: Client, issuer: Issuer, field: str) -> None:
    a_workflow()
    TrustedWorkflow.objects.update(**{field: "https://elsewhere.example"})

    assert refused(client, issuer.token()) == "workflow_not_trusted"


def later(seconds: int) -> timedelta:
    """So long after the token is made: tests are collected long before they run."""
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"aud": "https://other.example"}, "token_audience"),
        ({"aud": ["https://launchplane.example"]}, "token_audience"),
        ({"aud": ["https://launchplane.example", "https://other.example"]}, "token_audience"),
        ({"aud": None}, "token_audience"),
        ({"iss": "https://token.actions.githubusercontent.com.evil.example"}, "token_issuer"),
        ({"iss": "http://127.0.0.1"}, "token_issuer"),
        ({"iss": None}, "token_issuer"),
        ({"nbf": later(40_000), "exp": later(42_000), "iat": later(40_000)}, "token_not_yet_valid"),
        ({"nbf": later(3000), "exp": later(3500)}, "token_not_yet_valid"),
        ({"iat": later(3000), "exp": later(3500)}, "token_not_yet_valid"),
        ({"exp": later(-31), "iat": later(-300)}, "token_expired"),
        ({"exp": later(7200)}, "token_lifetime"),
        ({"exp": later(100), "iat": later(-3600)}, "token_lifetime"),
        ({"exp": None}, "token_claims"),
        ({"nbf": None}, "token_claims"),
        ({"iat": None}, "token_claims"),
        ({"jti": None}, "token_claims"),
        ({"exp": True}, "token_claims"),
        ({"exp": "1795000000"}, "token_claims"),
        ({"exp": 1795000000.5}, "token_claims"),
        ({"exp": 1e300}, "token_claims"),
        ({"exp": 10**30}, "token_claims"),
        ({"jti": ""}, "token_claims"),
        ({"jti": "a\0b"}, "token_claims"),
        ({"jti": "x" * 201}, "token_claims"),
        ({"jti": 7}, "token_claims"),
        ({"repository_id": REPOSITORY_ID}, "token_claims"),
        ({"repository_id": f"0{REPOSITORY_ID}"}, "token_claims"),
        ({"repository_id": f"{REPOSITORY_ID}\n"}, "token_claims"),
        ({"repository_id": "9" * 19}, "token_claims"),
        ({"repository_owner_id": None}, "token_claims"),
        ({"event_name": None}, "token_claims"),
        ({"ref": ["refs/heads/main"]}, "token_claims"),
    ],
    ids=str,
)
def test_a_claim_that_is_not_right_is_refused(
    client: Client, issuer: Issuer, changed: dict[str, Any], code: str
) -> None:
    a_workflow()
    now = int(time.time())
    said: dict[str, Any] = {
        name: now + round(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in changed.items()
    }

    assert refused(client, issuer.token(**said)) == code


def test_a_clock_that_is_a_little_off_is_let_in(client: Client, issuer: Issuer) -> None:
    a_workflow()
    now = int(time.time())

    assert names(client, issuer.token(iat=now + 20, nbf=now + 20)) == []
    assert names(client, issuer.token(iat=now - 300, exp=now - 20)) == []


def test_without_a_signature_nobody_is_let_in(client: Client, issuer: Issuer) -> None:
    a_workflow()
    header, claims = {"alg": "none", "typ": "JWT", "kid": issuer.kid}, issuer.claims()

    assert refused(client, f"{part(header)}.{part(claims)}.AA") == "token_algorithm"
    assert refused(client, jwt.encode(claims, "", algorithm="none")) == "token_algorithm"


def test_the_public_key_is_no_secret_to_sign_with(client: Client, issuer: Issuer) -> None:
    a_workflow()
    begin = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': issuer.kid})}.{part(issuer.claims())}"
    mac = hmac.new(issuer.public_pem, begin.encode(), hashlib.sha256).digest()

    assert refused(client, f"{begin}.{urlsafe_b64encode(mac).decode().rstrip('=')}") == "token_algorithm"


@pytest.mark.parametrize("algorithm", ["RS512", "PS256", "ES256", "rs256", "", None, 7])
def test_another_algorithm_is_refused(client: Client, issuer: Issuer, algorithm: Any) -> None:
    a_workflow()
    token = f"{part({'alg': algorithm, 'kid': issuer.kid})}.{part(issuer.claims())}.AAAA"

    assert refused(client, token) == "token_algorithm"


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], None, "x"])
def test_a_header_that_demands_something_is_refused(client: Client, issuer: Issuer, crit: Any) -> None:
    a_workflow()
    token = f"{part({'alg': 'RS256', 'kid': issuer.kid, 'crit': crit})}.{part(issuer.claims())}.AAAA"

    assert refused(client, token) == "token_crit"


def test_an_altered_token_is_refused(client: Client, issuer: Issuer) -> None:
    a_workflow()
    header, _claims, signature = issuer.token().split(".")

    assert refused(client, f"{header}.{part(issuer.claims(ref='refs/heads/x'))}.{signature}") == "token_signature"


def test_a_token_of_somebody_else_s_key_under_our_key_s_name_is_refused(client: Client, issuer: Issuer) -> None:
    a_workflow()
    assert names(client, issuer.token()) == []
    kid = issuer.kid
    issuer.rotate()

    assert refused(client, issuer.token(header={"kid": kid})) == "token_signature"


@pytest.mark.parametrize(
    "payload",
    [
        '{"aud": "https://other.example", "aud": "https://launchplane.example"}',
        '{"a": {"b": 1, "b": 2}}',
        '{"exp": NaN}',
        '{"exp": Infinity}',
        "[]",
        '"text"',
        "null",
        "",
        "{",
        "[" * 3000,
        '{"exp": ' + "9" * 5000 + "}",
        "\ufeff{}",
    ],
    ids=lambda text: text[:30],
)
def test_a_payload_that_readers_could_differ_about_is_refused(client: Client, issuer: Issuer, payload: str) -> None:
    a_workflow()

    assert refused(client, issuer.signed_text(payload)) == "token_malformed"


def test_half_a_character_in_a_claim_is_compared_and_not_stored(client: Client, issuer: Issuer) -> None:
    a_workflow()

    assert names(client, issuer.token(ref="refs/heads/\ud800", repository="octo/\ud800", environment="\0")) == []
    row = TrustedWorkflow.objects.get()
    assert (row.repository, "\ud800" in row.last_run, "\0" in row.last_run) == ("", False, False)


@pytest.mark.parametrize("kid", [None, "", 7, "a b", "x" * 201, "\u00e9"])
def test_a_token_that_names_no_key_is_refused_and_nothing_is_fetched(client: Client, issuer: Issuer, kid: Any) -> None:
    a_workflow()
    header = {"alg": "RS256"} | ({} if kid is None else {"kid": kid})

    assert refused(client, f"{part(header)}.{part(issuer.claims())}.AAAA") == "token_malformed"
    assert issuer.asked == 0


def test_a_token_of_20_mb_is_refused_unread(client: Client, issuer: Issuer) -> None:
    assert refused(client, issuer.token(padding="x" * 20_000_000)) == "token_too_long"
    assert issuer.asked == 0


def test_a_token_lets_in_once(client: Client, issuer: Issuer) -> None:
    a_workflow()
    token = issuer.token()
    assert names(client, token) == []

    assert refused(client, token) == "token_replayed"
    assert AuditRecord.objects.latest("seq").actor_name == "workflow of octo/app"


def test_the_same_id_in_another_token_is_the_same_token(client: Client, issuer: Issuer) -> None:
    a_workflow()
    assert names(client, issuer.token(jti="once")) == []

    assert refused(client, issuer.token(jti="once")) == "token_replayed"


def test_a_refused_token_is_not_used_up(client: Client, issuer: Issuer) -> None:
    token = issuer.token()
    assert refused(client, token) == "workflow_not_trusted"
    a_workflow()

    assert names(client, token) == []


def test_what_is_over_is_forgotten(client: Client, issuer: Issuer) -> None:
    a_workflow()
    SpentToken.objects.create(digest="0" * 64, until=timezone.now() - timedelta(seconds=1))

    names(client, issuer.token())

    assert [spent.digest == "0" * 64 for spent in SpentToken.objects.all()] == [False]


@pytest.mark.django_db(transaction=True)
def test_of_fifty_at_once_with_the_same_token_one_is_let_in(issuer: Issuer) -> None:
    a_workflow()
    assert names(Client(), issuer.token()) == []  # now the keys are known
    token = issuer.token()

    def call(_number: int) -> str:
        try:
            answer = Client().get("/v1/hosts", headers=bearer(token))
            return "let in" if answer.status_code == 200 else answer.json()["code"]
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:  # PostgreSQL takes no more connections here
        answers = list(threads.map(call, range(50)))

    assert sorted(answers) == ["let in"] + ["token_replayed"] * 49


def test_the_last_run_is_noted(client: Client, issuer: Issuer) -> None:
    a_workflow()
    names(client, issuer.token(repository="octo/renamed"))

    row = TrustedWorkflow.objects.get()

    assert (row.repository, row.last_used_from) == ("octo/renamed", "127.0.0.1")
    assert row.last_run.startswith("run 9000000001 of octo/renamed (4711 of 42) by push on refs/heads/main")
