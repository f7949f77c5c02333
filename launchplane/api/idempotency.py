"""The header `Idempotency-Key`: whoever sends the same again with the same key gets the same answer."""

from hashlib import sha256
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest

from launchplane.access.callers import Caller
from launchplane.api.refusing import NotTaken
from launchplane.changes.keys import well_formed
from launchplane.problems import Problem

HEADER: Final = "Idempotency-Key"
# says of an answer that it was given before
REPLAYED: Final = "Idempotency-Replayed"


def key_of(request: HttpRequest) -> str:
    """The key as the caller chose it. Raises NotTaken (400) if there is none, or none that is well-formed."""
    key = request.headers.get(HEADER)
    if not key:
        sentence = f"Send the header {HEADER}, a new one for each thing that you hand in and the same to try it again."
        raise NotTaken(HTTPStatus.BAD_REQUEST, "idempotency_key_missing", sentence)
    try:
        return well_formed(key)
    except Problem as problem:
        raise NotTaken(HTTPStatus.BAD_REQUEST, problem.code, problem.sentence) from problem


def scope_of(caller: Caller, route: str, key: str) -> str:
    """What is stored of `key`: a hash, as a key may be a secret. Another caller's, or another route's, is another."""
    return sha256("\0".join((caller.identity, route, key)).encode()).hexdigest()
