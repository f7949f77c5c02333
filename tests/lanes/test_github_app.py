"""An App's installation: a token of an hour for each way of asking, and no more right than that way needs."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from audits.redact import LIVE, REDACTED
from lanes.github.client import Github
from lanes.github.errors import GithubDenied, GithubUnreachable
from launchplane.problems import Refused
from tests.fakes.github import GithubServer
from tests.fakes.loopback import answers
from tests.lanes.asking import SCOPE, a_github, asking_as_app, declared

APP = "4711"
TOKENS = r"POST /app/installations/\d+/access_tokens"


class Keys(NamedTuple):
    private: str
    public: str


@pytest.fixture(scope="module")
def keys() -> Keys:
    return new_keys()


def new_keys() -> Keys:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Keys(key.private_bytes(serialization.Encoding.PEM, *form).decode(), public.decode())


@pytest.fixture
def server(keys: Keys) -> Iterator[GithubServer]:
    with a_github() as server:
        server.app = (APP, keys.public)
        server.installations = {"acme": 31}
        yield server


@pytest.fixture
def github(server: GithubServer, keys: Keys) -> Iterator[Github]:
    with asking_as_app(server.url, APP, keys.private, clock=server.now, most_leases=3) as github:
        yield github


def test_an_app_lists_with_an_installation_token_that_may_only_look(server: GithubServer, github: Github) -> None:
    server.add_runner(SCOPE, "lane-a")
    assert [runner.name for runner in github.listing(SCOPE).runners] == ["lane-a"]
    assert [(call.method, call.path, call.identity) for call in server.calls] == [
        ("GET", "/repos/acme/shop/installation", "app"),
        ("POST", "/app/installations/31/access_tokens", "app"),
        ("GET", "/repos/acme/shop/actions/runners", "installation-31-read"),
    ]


@pytest.mark.req("M22")
def test_no_credential_that_may_write_is_asked_for_without_a_running_change(
    server: GithubServer, github: Github
) -> None:
    github.listing(SCOPE)
    with pytest.raises(Refused), github.registration_token(SCOPE):
        pytest.fail("there is no token")
    assert {credential.level for credential in server.credentials.values() if "31" in credential.identity} == {"read"}


@pytest.mark.req("M61")
def test_a_running_change_asks_with_a_token_that_may_write(server: GithubServer, github: Github) -> None:
    with declared(), github.registration_token(SCOPE):
        assert server.calls[-1].identity == "installation-31-write"


def test_a_token_serves_all_repositories_of_an_installation(server: GithubServer, github: Github) -> None:
    for scope in (SCOPE, "acme/other", "Acme/third", SCOPE):
        github.listing(scope)
    assert [call.method for call in server.calls].count("POST") == 1
    assert sum(call.path.endswith("/installation") for call in server.calls) == 1


def test_an_organization_is_asked_with_a_permission_of_its_own(server: GithubServer, github: Github) -> None:
    server.add_runner("acme", "of-all")
    assert len(github.listing("acme").runners) == 1
    assert github.listing(SCOPE).complete
    assert [call.method for call in server.calls].count("POST") == 2


def test_a_token_is_renewed_before_it_is_over(server: GithubServer, github: Github) -> None:
    github.listing(SCOPE)
    (first,) = [token for token in server.credentials if token.startswith("ghs_")]
    server.ahead = timedelta(minutes=59)
    assert github.listing(SCOPE).complete
    (_, second) = [token for token in server.credentials if token.startswith("ghs_")]
    assert first != second
    assert [call.method for call in server.calls].count("POST") == 2


def test_a_token_that_was_revoked_is_replaced_for_the_next_call(server: GithubServer, github: Github) -> None:
    github.listing(SCOPE)
    server.credentials.clear()
    with pytest.raises(GithubDenied):
        github.listing(SCOPE)
    assert github.listing(SCOPE).complete


@pytest.mark.req("M45")
def test_installation_tokens_are_known_to_the_redactor(server: GithubServer, github: Github) -> None:
    github.listing(SCOPE)
    (token,) = [token for token in server.credentials if token.startswith("ghs_")]
    assert LIVE.text(f"somebody wrote {token} .") == f"somebody wrote {REDACTED}{REDACTED} ."
    encoded = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    assert encoded not in LIVE.text(encoded)


@pytest.mark.req("M45")
def test_the_redactor_does_not_have_to_know_more_and_more(server: GithubServer, github: Github) -> None:
    server.installations = {f"owner-{number}": number for number in range(1, 6)}
    before = known_secrets()
    for owner in server.installations:
        github.listing(f"{owner}/shop")
    assert known_secrets() - before == 3
    server.ahead = timedelta(hours=2)
    github.listing("owner-5/shop")
    assert known_secrets() - before == 3


def known_secrets() -> int:
    return sum(LIVE._live.values())


def test_an_app_that_is_not_installed_says_so_and_is_asked_again(server: GithubServer, github: Github) -> None:
    with pytest.raises(GithubDenied) as caught:
        github.listing("other/shop")
    assert caught.value.code == "github_not_installed"
    server.installations["other"] = 32
    assert github.listing("other/shop").complete


def test_an_app_that_was_installed_anew_is_found_again(server: GithubServer, github: Github) -> None:
    github.listing(SCOPE)
    server.installations = {"acme": 77}
    server.ahead = timedelta(hours=1)
    with pytest.raises(GithubDenied):
        github.listing(SCOPE)
    assert github.listing(SCOPE).complete


def test_an_app_with_another_key_is_not_accepted(server: GithubServer) -> None:
    with asking_as_app(server.url, APP, new_keys().private) as github, pytest.raises(GithubDenied) as caught:
        github.listing(SCOPE)
    assert caught.value.code == "github_unauthorized"


def test_a_permission_that_the_app_does_not_have_stops_the_scope(server: GithubServer, github: Github) -> None:
    server.fault(TOKENS, answers(422, {"message": "The permissions requested are not granted to this installation."}))
    with pytest.raises(GithubDenied) as caught:
        github.listing(SCOPE)
    assert "not granted to this installation" in caught.value.sentence


@pytest.mark.parametrize("document", [{}, {"token": "ghs_" + "x" * 40}, {"expires_at": "2027-01-01T00:00:00Z"}, []])
def test_an_access_token_that_is_not_in_order_is_none(server: GithubServer, github: Github, document: object) -> None:
    server.fault(TOKENS, answers(201, document))
    with pytest.raises(GithubUnreachable) as caught:
        github.listing(SCOPE)
    assert "ghs_" not in caught.value.sentence


def test_asking_for_an_access_token_is_not_repeated(server: GithubServer, github: Github) -> None:
    server.fault(TOKENS, answers(500))
    with pytest.raises(GithubUnreachable):
        github.listing(SCOPE)
    assert [call.method for call in server.calls] == ["GET", "POST"]
