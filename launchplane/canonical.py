"""The one canonical text (RFC 8785) and its digest: what is hashed is stored as that text."""

import hashlib
from typing import Any

import rfc8785
from pydantic import BaseModel


def canonical(value: BaseModel | dict[str, Any] | list[Any]) -> bytes:
    """UTF-8 bytes of `value` in RFC 8785 form. Raises ValueError for what that form cannot hold (NaN, 2**60)."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return bytes(rfc8785.dumps(plain))


def digest(text: bytes) -> str:
    """Lower-case hexadecimal SHA-256 of the stored bytes; nobody serialises again to verify."""
    return hashlib.sha256(text).hexdigest()
