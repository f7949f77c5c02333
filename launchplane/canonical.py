"""The one canonical text (RFC 8785) and its digest: what is hashed is stored as that text."""

import hashlib
import json
from typing import Any, Final

import rfc8785
from pydantic import BaseModel

LARGEST: Final = 2**53 - 1
_SORTED: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False)


def canonical(value: BaseModel | dict[str, Any] | list[Any]) -> bytes:
    """UTF-8 bytes of `value` in RFC 8785 form. Raises ValueError for what that form cannot hold (NaN, 2**60)."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return _SORTED.encode(plain).encode() if _is_simple(plain) else bytes(rfc8785.dumps(plain))


def digest(text: bytes) -> str:
    """Lower-case hexadecimal SHA-256 of the stored bytes; nobody serialises again to verify."""
    return hashlib.sha256(text).hexdigest()


def _is_simple(value: object) -> bool:
    """Whether Python's own writer, which is far faster, writes it the same: no floats, and names in ASCII, which are in
    one order by character and by UTF-16.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if isinstance(value, int):
        return kind is int and -LARGEST <= value <= LARGEST
    if isinstance(value, dict):
        return kind is dict and all(map(_is_plain_name, value)) and all(map(_is_simple, value.values()))
    return kind is list and all(map(_is_simple, value))  # type: ignore[call-overload]


def _is_plain_name(name: object) -> bool:
    return type(name) is str and name.isascii()
