"""Reduce JSON to a list of allowed fields: what is not named does not get through, and what is named has its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from onhost.engine.errors import CallFailed

Reduce = Callable[[Any, str], Any]

LARGEST: Final = 2**63 - 1
MAX_ENTRIES: Final = 200_000


def storable(value: str) -> str:
    """Text without what neither a database nor canonical JSON can hold: NUL and lone surrogates."""
    if value.isascii() and "\0" not in value:
        return value
    return value.encode("utf-8", errors="replace").decode("utf-8").replace("\0", "\ufffd")


def text(value: Any, where: str) -> Any:
    """A string or null, as it can be stored."""
    if value is None:
        return None
    if isinstance(value, str):
        return storable(value)
    raise _unexpected(value, where, "text")


def number(value: Any, where: str) -> Any:
    """A whole number of at most 64 bits, or null."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST):
        return value
    raise _unexpected(value, where, "a whole number")


def flag(value: Any, where: str) -> Any:
    """True, false or null."""
    if value is None or isinstance(value, bool):
        return value
    raise _unexpected(value, where, "true or false")


def fields(**allowed: Reduce) -> Reduce:
    """An object, of which only these fields pass; absent ones stay absent."""
    return named(allowed)


def named(allowed: Mapping[str, Reduce]) -> Reduce:
    """Like `fields`, for names that are no Python names."""

    def reduce(value: Any, where: str) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _unexpected(value, where, "an object")
        return {name: allowed[name](value[name], f"{where}.{name}") for name in allowed if name in value}

    return reduce


def list_of(one: Reduce) -> Reduce:
    """A list of at most MAX_ENTRIES or null; what is in it is never null."""

    def reduce(value: Any, where: str) -> Any:
        if value is None:
            return None
        if not isinstance(value, list) or None in value:
            raise _unexpected(value, where, "a list")
        if len(value) > MAX_ENTRIES:
            raise CallFailed(
                "answer_too_large", f"The engine's answer is too large: {where} has more than {MAX_ENTRIES} entries."
            )
        return [one(item, f"{where}[]") for item in value]

    return reduce


def map_of(one: Reduce) -> Reduce:
    """An object whose names are not known beforehand, such as labels."""

    def reduce(value: Any, where: str) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _unexpected(value, where, "an object")
        return {storable(name): one(item, f"{where}.*") for name, item in value.items()}

    return reduce


def nothing(value: Any, where: str) -> Any:  # noqa: ARG001  # the signature of every reducer
    """Only that the field is there, never what it says."""
    return None


def _unexpected(value: Any, where: str, wanted: str) -> CallFailed:
    return CallFailed(
        "unexpected_shape",
        f"The engine's answer has an unexpected shape: {where} is {type(value).__name__}, not {wanted}.",
    )
