"""Whose tokens are believed: given by the environment, and loud when it is wrong."""

import pytest

from launchplane.environment import oidc

NAMES = ("ISSUER", "AUDIENCE", "JWKS_URL")
GITHUB = "https://token.actions.githubusercontent.com"


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"LAUNCHPLANE_OIDC_{name}", raising=False)
        monkeypatch.delenv(f"LAUNCHPLANE_OIDC_{name}_FILE", raising=False)


def test_without_a_setting_it_is_github_for_our_own_address() -> None:
    assert oidc("https://launchplane.example") == (GITHUB, "https://launchplane.example", f"{GITHUB}/.well-known/jwks")


def test_the_keys_follow_from_the_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPLANE_OIDC_ISSUER", "https://ghe.example/_services/token")
    assert oidc("https://us.example").jwks_url == "https://ghe.example/_services/token/.well-known/jwks"


@pytest.mark.parametrize("name", ["ISSUER", "JWKS_URL"])
@pytest.mark.parametrize(
    "url", ["", "http://issuer.example", "issuer.example", "https://", "https://a:b@issuer.example", "https://x/?a=b"]
)
def test_an_address_that_could_be_anybody_s_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setenv(f"LAUNCHPLANE_OIDC_{name}", url)
    with pytest.raises(ValueError, match=f"LAUNCHPLANE_OIDC_{name}"):
        oidc("https://us.example")


@pytest.mark.parametrize("audience", ["", "a b", "x" * 201, "a\n"])
def test_an_audience_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, audience: str) -> None:
    monkeypatch.setenv("LAUNCHPLANE_OIDC_AUDIENCE", audience)
    with pytest.raises(ValueError, match="LAUNCHPLANE_OIDC_AUDIENCE"):
        oidc("https://us.example")
