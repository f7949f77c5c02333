"""How the settings name a GitHub: loud when wrong, silent about secrets."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from pytest_django import Settings

from audits.apps import own_secrets
from lanes.github.connect import github
from lanes.github.errors import GithubDenied
from launchplane.environment import github_api_url, github_credentials
from tests.fakes.github import GithubServer
from tests.lanes.asking import SCOPE, TOKEN

PEM = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
OPEN = serialization.NoEncryption()


@pytest.fixture(scope="module")
def key() -> str:
    return rsa_key(public_exponent=65537, key_size=2048).private_bytes(*PEM, OPEN).decode()


@pytest.fixture(autouse=True)
def _no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_URL", "TOKEN", "APP_ID", "APP_KEY"):
        monkeypatch.delenv(f"LAUNCHPLANE_GITHUB_{name}", raising=False)
        monkeypatch.delenv(f"LAUNCHPLANE_GITHUB_{name}_FILE", raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"LAUNCHPLANE_GITHUB_{name}", value)


def test_without_a_setting_it_is_githubs_own_address_and_no_credential() -> None:
    assert github_api_url() == "https://api.github.com"
    assert github_credentials() == ("", "", "")


@pytest.mark.parametrize(
    ("given_url", "url"),
    [
        ("https://ghe.example/api/v3/", "https://ghe.example/api/v3"),
        ("https://ghe.example:8443", "https://ghe.example:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/api/v3", "http://localhost:8080/api/v3"),
    ],
)
def test_an_address_over_tls_or_of_this_machine_is_taken(
    monkeypatch: pytest.MonkeyPatch, given_url: str, url: str
) -> None:
    given(monkeypatch, API_URL=given_url)
    assert github_api_url() == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.github.com",
        "http://api.github.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1@example.com",
        "http://[::1]:80",
        "ftp://127.0.0.1",
        "https://",
        "https://someone:s3cret-word@ghe.example",
        "https://ghe.example/?a=s3cret-word",
        "https://ghe.example/#s3cret-word",
        "https://ghe.example/api v3",
        "https://ghe.example:99999",
        "https://ghe.example\nhttp://x",
    ],
)
def test_another_address_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    given(monkeypatch, API_URL=url)
    with pytest.raises(ValueError) as caught:
        github_api_url()
    assert "s3cret-word" not in str(caught.value)


def test_a_token_comes_from_a_file_with_a_line_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("LAUNCHPLANE_GITHUB_TOKEN_FILE", str(tmp_path / "token"))
    assert github_credentials().token == TOKEN


def test_an_app_has_an_id_and_a_key(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    given(monkeypatch, APP_ID="4711", APP_KEY=key)
    assert github_credentials() == ("", "4711", key.strip())


def test_two_kinds_of_credentials_are_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    given(monkeypatch, TOKEN=TOKEN, APP_ID="4711", APP_KEY=key)
    with pytest.raises(ValueError, match="give one of them"):
        github_credentials()


@pytest.mark.parametrize("name", ["APP_ID", "APP_KEY"])
def test_half_an_app_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    given(monkeypatch, **{name: "4711"})
    with pytest.raises(ValueError, match="together only"):
        github_credentials()


@pytest.mark.parametrize("token", ["sh0rt", "two words of a token", "line\nbreak-in-a-token", "tökens-are-plain-ascii"])
def test_a_token_that_is_none_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    given(monkeypatch, TOKEN=token)
    with pytest.raises(ValueError) as caught:
        github_credentials()
    assert token not in str(caught.value)


def test_a_key_that_is_none_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    locked = serialization.BestAvailableEncryption(b"words")
    whole = rsa_key(public_exponent=65537, key_size=2048)
    others = [
        "not a key",
        key[:200],
        ec_key(SECP256R1()).private_bytes(*PEM, OPEN).decode(),
        whole.private_bytes(*PEM, locked).decode(),
        whole.public_key().public_bytes(PEM[0], serialization.PublicFormat.SubjectPublicKeyInfo).decode(),
    ]
    for other in others:
        given(monkeypatch, APP_ID="4711", APP_KEY=other)
        with pytest.raises(ValueError) as caught:
            github_credentials()
        assert other.strip() not in str(caught.value)


def test_the_settings_client_asks_the_github_of_the_settings(server: GithubServer, settings: Settings) -> None:
    settings.GITHUB_API_URL, settings.GITHUB_TOKEN = server.url, TOKEN
    assert github().listing(SCOPE).complete
    assert github() is github()


@pytest.mark.req("M45")
def test_the_token_of_the_settings_is_known_to_the_redactor_from_the_start(settings: Settings) -> None:
    settings.GITHUB_TOKEN = TOKEN
    assert TOKEN in own_secrets()


def test_without_credentials_github_is_not_asked(server: GithubServer, settings: Settings) -> None:
    settings.GITHUB_API_URL, settings.GITHUB_TOKEN, settings.GITHUB_APP_ID = server.url, "", ""
    with pytest.raises(GithubDenied) as caught:
        github()
    assert caught.value.code == "github_not_configured"
    assert server.calls == []


def test_an_address_with_a_path_is_kept(settings: Settings) -> None:
    with GithubServer(prefix="/api/v3") as server:
        server.accept(TOKEN)
        settings.GITHUB_API_URL, settings.GITHUB_TOKEN = server.url, TOKEN
        assert github().listing(SCOPE).complete
        assert server.calls[0].path == "/api/v3/repos/acme/shop/actions/runners"
