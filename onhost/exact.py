"""JSON read strictly: one object, no name twice, no NaN, no text that is not UTF-8."""

from __future__ import annotations

import json
from typing import NoReturn

from onhost.refusals import BadRequest


def parse_object(data: bytes) -> dict[str, object]:
    """The object that `data` is. Raises BadRequest `not_json`."""
    try:
        told = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("not_json", "it is no JSON object in UTF-8 that names everything once") from error
    if not isinstance(told, dict):
        raise BadRequest("not_json", "it is no JSON object")
    return told


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(constant)
