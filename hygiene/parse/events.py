"""The engine's events since the last pass: who used what. The engine keeps 256 of them (FACTS)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hygiene.contracts import Event
from hygiene.parse.values import amount, text


def parse_events(raw: Any) -> tuple[list[Event], bool]:
    """Events in time's order, and whether some may be missing (an unusable answer counts as missing)."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("events"), list):
        return [], True
    entries = raw["events"]
    events = [event for event in map(_event, entries) if event is not None]
    lost = raw.get("truncated") is not False or len(events) != len(entries)
    return sorted(events, key=lambda event: (event.at, event.kind, event.subject)), lost


def _event(raw: Any) -> Event | None:
    if not isinstance(raw, Mapping):
        return None
    actor = raw.get("Actor")
    actor = actor if isinstance(actor, Mapping) else {}
    attributes = actor.get("Attributes")
    attributes = attributes if isinstance(attributes, Mapping) else {}
    at = _moment(raw)
    subject = text(actor.get("ID"))
    if at is None or not subject:
        return None
    return Event(
        at=at,
        kind=text(raw.get("Type")),
        action=text(raw.get("Action")),
        subject=subject,
        image=text(attributes.get("image")) or None,
        container=text(attributes.get("container")) or None,
    )


def _moment(raw: Mapping[str, Any]) -> datetime | None:
    nanoseconds, seconds = _nanoseconds(raw.get("timeNano")), amount(raw.get("time"))
    try:
        if nanoseconds is not None:
            return datetime.fromtimestamp(nanoseconds // 10**9, UTC).replace(microsecond=nanoseconds % 10**9 // 1000)
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def _nanoseconds(value: Any) -> int | None:
    """Nanoseconds since 1970: beyond what canonical JSON holds, but within 64 bits."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    return None
