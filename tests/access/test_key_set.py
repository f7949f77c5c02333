"""Which of the keys that an issuer publishes are of use."""

import json
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from launchplane.access.oidc.key_set import keys_in


@cache
def published(bits: int = 2048, exponent: int = 65537) -> dict[str, Any]:
    public = RSAAlgorithm.to_jwk(rsa.generate_private_key(exponent, bits).public_key(), as_dict=True)
    return {"kty": "RSA", "kid": "one", "n": public["n"], "e": public["e"]}


def kids(*entries: object) -> list[str]:
    return list(keys_in(json.dumps({"keys": entries})))


def test_an_rsa_key_for_signatures_is_taken() -> None:
    assert kids(published(), published() | {"kid": "two", "use": "sig", "alg": "RS256"}) == ["one", "two"]


@pytest.mark.parametrize(
    "changed",
    [
        {"kty": "oct", "k": "AAAA"},
        {"kty": "EC"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"alg": None},
        {"kid": None},
        {"kid": ["one"]},
        {"n": ""},
        {"n": "AQAB"},
        {"n": "!"},
        {"e": "Aw"},
        {"e": ""},
    ],
    ids=str,
)
def test_any_other_is_left_out(changed: dict[str, Any]) -> None:
    assert kids(published() | changed) == []


def test_a_short_key_and_one_with_another_exponent_are_left_out() -> None:
    assert kids(published(1024)) == kids(published(2048, 3)) == []


def test_of_two_with_one_name_neither_is_taken() -> None:
    assert kids(published(), published()) == []


def test_a_private_key_is_read_as_its_public_part() -> None:
    assert kids(published() | {"d": "AQAB"}) == ["one"]
