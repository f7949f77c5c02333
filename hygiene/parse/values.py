"""Single values out of answers that may be forged, old or broken. What is not usable becomes None, never 0."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from audits.redact import LIVE

LARGEST = 2**53 - 1  # the largest integer that canonical JSON can hold (RFC 8785, section 3.2.2.3)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_KEY = 255
LONGEST_TEXT = 4096
LONGEST_LABEL = 65_536
MOST_LABELS = 5_000


class Malformed(ValueError):
    """An entry that lacks, or holds unusably, what names its resource or decides on it."""


def text(value: object, longest: int = LONGEST_TEXT) -> str:
    """`value` as text that every store can hold: no NUL, no lone surrogate, at most `longest` characters."""
    if not isinstance(value, str):
        return ""
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode("utf-8")
    if "\0" in value:
        value = value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value[:longest]


def key(value: Any) -> str:
    """The name of a resource. Raises Malformed if it is missing or longer than any engine makes one."""
    if not value:
        raise Malformed("an entry has no usable name")
    return exact(value, LONGEST_KEY)


def exact(value: Any, longest: int = LONGEST_TEXT) -> str:
    """A text that decides on a resource: whole or not at all. Raises Malformed if it is none, or longer."""
    if not isinstance(value, str) or len(value) > longest:
        raise Malformed("an entry holds a text that is none, or that is too long")
    return text(value, longest)


def field(raw: Mapping[str, Any], name: str) -> Any:
    """A field that every engine writes, null or not. Raises Malformed where it is missing: missing is not "none"."""
    if name not in raw:
        raise Malformed(f"an entry has no {name}")
    return raw[name]


def entries(raw: Mapping[str, Any], name: str) -> list[Any]:
    """A field that holds a list, or null for an empty one, as Go writes it. Raises Malformed."""
    found = field(raw, name)
    if found is not None and not isinstance(found, list):
        raise Malformed(f"{name} is no list")
    return found or []


def names(raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A field that holds a list of names, sorted, each of them whole. Raises Malformed."""
    return tuple(sorted(map(exact, entries(raw, name))))


def amount(value: Any) -> int | None:
    """A count or a number of bytes: an integer from 0 up, else None (the engine says -1 for unknown)."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        return None
    return value


def total(sizes: Iterable[int | None]) -> int | None:
    """The sum; None if a part of it is unknown, or if it is larger than any engine can mean."""
    known = 0
    for size in sizes:
        if size is None:
            return None
        known += size
    return amount(known)


def moment(value: Any) -> datetime | None:
    """A time from epoch seconds or RFC 3339 text (nanoseconds are cut); the engine's zero time is None."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC) if value >= 0 else None
        if isinstance(value, str):
            return _from_text(value)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _from_text(value: str) -> datetime | None:
    head, dot, rest = value.partition(".")
    if dot:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        value = f"{head}.{rest[:digits][:6].ljust(6, '0')}{rest[digits:]}"
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        return None
    utc = found.astimezone(UTC)
    return utc if utc >= EPOCH else None


def labels(value: Any) -> dict[str, str]:
    """Labels as text to text, all of them and whole but for secrets: a protection may rest on any.

    People do write passwords into labels; what is kept of a host holds none. Raises Malformed if they are none, or more
    or longer than anybody writes them.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MOST_LABELS:
        raise Malformed("an entry has labels that are none, or too many")
    return LIVE.labels({exact(name, LONGEST_LABEL): _label(content) for name, content in value.items()})


def _label(content: Any) -> str:
    return "" if content is None else exact(content, LONGEST_LABEL)


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts, sorted; null is an empty list, as Go writes it."""
    if not isinstance(value, list):
        return ()
    return tuple(sorted(text(item) for item in value if isinstance(item, str)))
