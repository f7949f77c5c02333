"""A set of keys as an issuer publishes it (RFC 7517): only RSA keys for signatures are of use here. Pure."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import PyJWTError

MOST_KEYS: Final = 50
SMALLEST_BITS, LARGEST_BITS = 2048, 8192
USUAL_EXPONENT: Final = 65537  # a large one would make each look take long


@lru_cache(maxsize=4)
def keys_in(document: str) -> Mapping[str, RSAPublicKey]:
    """The keys by their id; none if it is no set of keys. Of two with one id neither is there."""
    try:
        listed = json.loads(document)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    found: dict[str, RSAPublicKey] = {}
    twice: set[str] = set()
    for entry in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        if (key := _key(entry)) is not None:
            twice |= {entry["kid"]} & set(found)
            found[entry["kid"]] = key
    return {kid: key for kid, key in found.items() if kid not in twice}


def _key(entry: Any) -> RSAPublicKey | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
        return None
    if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        key = RSAAlgorithm.from_jwk({name: entry.get(name) for name in ("kty", "n", "e")})
    except (PyJWTError, ValueError, TypeError):
        return None
    usable = isinstance(key, RSAPublicKey) and SMALLEST_BITS <= key.key_size <= LARGEST_BITS
    return key if usable and key.public_numbers().e == USUAL_EXPONENT else None  # type: ignore[return-value,union-attr]
