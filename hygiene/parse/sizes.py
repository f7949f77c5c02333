"""Sizes as Docker's command line writes and prints them, for evidence that arrives as text (H5)."""

import re
from decimal import Decimal

from hygiene.contracts import DockerSummary, TypeSummary

_UNITS = {
    unit: base**power
    for base, suffix in ((1000, "B"), (1024, "iB"))
    for power, letter in enumerate(["", "k", "M", "G", "T", "P", "E"])
    for unit in {f"{letter}{suffix}", f"{letter.upper()}{suffix}"}
    if letter or suffix == "B"
}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s?([kKMGTPE]?i?B)", re.ASCII)
_TYPES = {
    "images": "images",
    "containers": "containers",
    "local volumes": "volumes",
    "build cache": "build_cache",
}
_LINE = re.compile(
    r"(?P<type>Images|Containers|Local Volumes|Build Cache)\s+(?P<count>\d{1,12})\s+(?P<active>\d{1,12})\s+"
    r"(?P<size>[\d.]+\s?[kKMGTPE]?i?B)\s+(?P<reclaimable>[\d.]+\s?[kKMGTPE]?i?B)(?:\s+\(\d+(?:\.\d+)?%\))?",
    re.IGNORECASE | re.ASCII,
)


def parse_size(text: str) -> int | None:
    """Bytes of `7.079MB`, `12.1 GB`, `3GiB`, `0B` (1 kB = 1000 B, 1 KiB = 1024 B); None if it is no size."""
    match = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(match[2]) if match else None
    if match is None or unit is None:
        return None
    return int((Decimal(match[1]) * unit).to_integral_value())


def parse_df_lines(text: str) -> DockerSummary:
    """The summary out of `docker system df` lines: type, total, active, size, reclaimable with its `(n%)`.

    A type without a line, with two, or with a line that cannot be read is None: missing is never 0 (H4).
    """
    found: dict[str, list[TypeSummary | None]] = {}
    for line in text.splitlines():
        name = _type_of(line)
        if name:
            found.setdefault(name, []).append(_parse_line(line))
    parts = {name: lines[0] if len(lines) == 1 else None for name, lines in found.items()}
    return DockerSummary.model_validate({name: parts.get(name) for name in _TYPES.values()})


def _type_of(line: str) -> str | None:
    lowered = " ".join(line.lower().split())
    return next((name for prefix, name in _TYPES.items() if lowered.startswith(prefix)), None)


def _parse_line(line: str) -> TypeSummary | None:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        return None
    size, reclaimable = parse_size(match["size"]), parse_size(match["reclaimable"])
    if size is None or reclaimable is None:
        return None
    return TypeSummary(
        count=int(match["count"]), active=int(match["active"]), size_bytes=size, reclaimable_bytes=reclaimable
    )
