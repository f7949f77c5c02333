"""What a token says of itself, before anybody has vouched for it: three parts, strict JSON, a known algorithm. Pure."""

import binascii
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

FORM: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
ALGORITHM: Final = "RS256"


class Unreadable(ValueError):
    """Not taken; `code` and `sentence` say why."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@dataclass(frozen=True, slots=True)
class Said:
    """The id of the key that it names, and its claims, which nobody has vouched for."""

    kid: str
    claims: Mapping[str, Any]


def said(token: str) -> Said:
    """Read `token`. Raises Unreadable: `token_malformed`, `token_algorithm` or `token_crit`."""
    if (parts := FORM.fullmatch(token)) is None:
        raise _malformed("it has not three parts")
    header, claims = _document(parts[1]), _document(parts[2])
    if header.get("alg") != ALGORITHM:
        raise Unreadable("token_algorithm", f"A token has to be signed by {ALGORITHM}, and by nothing else.")
    if "crit" in header:
        raise Unreadable("token_crit", "The token demands what is not known here (crit).")
    kid = header.get("kid")
    if not isinstance(kid, str) or not re.fullmatch(r"[\x21-\x7e]{1,200}", kid):
        raise _malformed("it names no key")
    return Said(kid, claims)


def _document(part: str) -> dict[str, Any]:
    try:
        text = urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
        found = json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_constant)
    except (binascii.Error, ValueError, RecursionError) as error:
        if isinstance(error, Unreadable):
            raise
        raise _malformed("a part of it is no JSON in base64url") from error
    if not isinstance(found, dict):
        raise _malformed("a part of it is no object")
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ in which of two they take, so one of them would check what another believes."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _malformed("it says something twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise _malformed(f"{name} is no JSON")


def _malformed(why: str) -> Unreadable:
    return Unreadable("token_malformed", f"This is no token of a workflow: {why}.")
