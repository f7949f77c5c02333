"""Times as an engine writes them: RFC 3339, with up to nine digits after the point."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

WRITTEN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def moment(value: Any) -> datetime | None:
    """The time, cut to microseconds; None for anything else. Python before 3.11 reads neither `Z` nor nanoseconds."""
    found = WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    zone = "+00:00" if found[3] == "Z" else found[3]
    try:
        return datetime.fromisoformat(f"{found[1]}.{(found[2] or '').ljust(6, '0')[:6]}{zone}")
    except ValueError:
        return None
