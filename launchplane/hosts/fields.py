"""Form fields for what an operator types: lists one per line, sizes with a unit, lengths of time with a unit.

What cannot be understood stays in the box as it was typed, with a sentence about what would be.
"""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from launchplane.words import CENTURY_SECONDS

LARGEST = 2**63 - 1
SIZES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
SHOWN_SIZES = ("TB", "GB", "MB", "kB", "B")
LENGTHS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
SHORT_LENGTHS = {"d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1}
AMOUNT = re.compile(r"(\d{1,19}(?:\.\d{1,9})?)\s*([a-zA-Z]*)")


def parse_size(text: str) -> int:
    """Bytes from "20 GB", "1.5TiB" or "1000". Raises ValidationError."""
    units = {unit.lower(): size for unit, size in SIZES.items()}
    return _parse(text, units, "a size: write it with its unit, such as 20 GB")


def show_size(value: int) -> str:
    """The same number of bytes, exactly, in the largest unit that needs no more than three decimals."""
    for unit in SHOWN_SIZES:
        size = SIZES[unit]
        if value >= size and value * 1000 % size == 0:
            return f"{Decimal(value) / size:f} {unit}"
    return f"{value} B"


def parse_length(text: str) -> int:
    """Seconds from "30 days", "12h" or "3600", at most 100 years of them. Raises ValidationError."""
    plurals = {f"{unit}s": size for unit, size in LENGTHS.items()}
    units = LENGTHS | plurals | SHORT_LENGTHS
    seconds = _parse(text, units, "a length of time: write it with its unit, such as 30 days")
    if seconds > CENTURY_SECONDS:
        raise ValidationError(f"“{text[:80]}” is more than 100 years.")
    return seconds


def show_length(value: int) -> str:
    """The same number of seconds, exactly, in the largest unit that divides it."""
    for unit, size in LENGTHS.items():
        if value and value % size == 0:
            return f"{value // size} {unit}{'s' if value != size else ''}"
    return "0 seconds"


def _parse(text: str, units: dict[str, int], what: str) -> int:
    found = AMOUNT.fullmatch(text.strip())
    factor = units.get(found[2].lower()) if found and found[2] else 1
    if found is None or factor is None:
        raise ValidationError(f"“{text[:80]}” is not {what}.")
    value = int(Decimal(found[1]) * factor)
    if value > LARGEST:
        raise ValidationError(f"“{text[:80]}” is more than can be stored.")
    return value


class SizeField(forms.CharField):
    """Bytes, typed and shown with a unit."""

    def to_python(self, value: Any) -> Any:
        return parse_size(str(value)) if value not in self.empty_values else None

    def prepare_value(self, value: Any) -> Any:
        return show_size(value) if isinstance(value, int) else value


class LengthField(forms.CharField):
    """Seconds, typed and shown with a unit."""

    def to_python(self, value: Any) -> Any:
        return parse_length(str(value)) if value not in self.empty_values else None

    def prepare_value(self, value: Any) -> Any:
        return show_length(value) if isinstance(value, int) else value


class LinesField(forms.CharField):
    """A list of texts, one a line. Blank lines do not count."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **{"required": False, "widget": forms.Textarea(attrs={"rows": 3}), **options})

    def to_python(self, value: Any) -> Any:
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(line) for line in value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))
