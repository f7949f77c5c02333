"""Values as people read them: bytes, ids, ages, text that came from a host. None is never shown as 0 or nothing."""

import re
import unicodedata
from datetime import datetime, timedelta

from onhost.words import clean_message

__all__ = [
    "CENTURY_SECONDS",
    "NOT_MEASURED",
    "clean_message",
    "human_age",
    "human_bytes",
    "human_count",
    "human_duration",
    "human_milliseconds",
    "id_parts",
    "printable",
]

NOT_MEASURED = "not measured"
CENTURY_SECONDS = 100 * 365 * 86_400  # the longest time that can be entered
UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
CONTROLS = {"\n": "LF", "\r": "CR", "\t": "TAB", "\x1b": "ESC", "\0": "NUL"}
DIGEST = re.compile(r"[0-9a-f]{32,128}")


def human_bytes(value: int | None) -> str:
    """Four digits and a decimal unit, as Docker's client writes them: "331.6 GB"."""
    if value is None:
        return NOT_MEASURED
    size, unit = float(abs(value)), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{'−' if value < 0 else ''}{size:.4g} {UNITS[unit]}"


def human_count(value: int | None) -> str:
    """With a narrow space between thousands: "5 000"."""
    return NOT_MEASURED if value is None else f"{value:,}".replace(",", "\u202f")


def printable(text: object) -> str:
    """`text` with what could break a line, hide or turn round the rest of it made visible: ⟨LF⟩, ⟨U+202E⟩."""
    plain = str(text)
    return plain if plain.isprintable() else "".join(_visible(character) for character in plain)


def _visible(character: str) -> str:
    if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    return f"⟨{CONTROLS.get(character) or f'U+{ord(character):04X}'}⟩"


def id_parts(value: str) -> tuple[str, str, str] | None:
    """Head, middle and tail of a long id, the middle being what is not worth reading; None if it is short enough."""
    prefix, colon, digest = value.rpartition(":")
    if not DIGEST.fullmatch(digest):
        return None
    return prefix + colon + digest[:6], digest[6:-4], digest[-4:]


def human_age(moment: datetime, now: datetime) -> str:
    """How long ago (or in how long) in the largest sensible unit; a date when it is more than 90 days."""
    distance = abs(now - moment)
    if distance > timedelta(days=90):
        return f"{moment.day} {moment:%b %Y}"
    if distance < timedelta(seconds=5):
        return "just now"
    length = human_duration(distance)
    return f"{length} ago" if moment <= now else f"in {length}"


def human_duration(length: timedelta) -> str:
    """ "40 s", "3 min", "5 h", "12 days": whole units, rounded down."""
    seconds = int(length.total_seconds())
    for size, unit in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "day" else 1):
            return f"{seconds // size} {unit}{'s' if unit == 'day' else ''}"
    return f"{seconds} s"


def human_milliseconds(value: int) -> str:
    """ "0.4 s", or "12 ms" for what is shorter than a tenth of a second."""
    return f"{value} ms" if value < 100 else f"{value / 1000:.1f} s"
