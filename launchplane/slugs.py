"""Names that are safe as a path component, a URL part and a label: the one rule for hosts and lanes."""

import re

RULE = "1 to 64 of a-z 0-9 . _ -, starting with a letter or digit, without '..'"
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def is_slug(name: str) -> bool:
    """Whether `name` as a whole is a slug: no slash, no capital, no dot-dot, no newline at its end."""
    return _SLUG.fullmatch(name) is not None and ".." not in name
