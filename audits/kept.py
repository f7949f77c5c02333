"""Text from anywhere (a host, a person, an exception) as a row may keep it."""

from audits.redact import LIVE

LONGEST = 600


def kept(text: str) -> str:
    """`text` without secrets, without the one character that PostgreSQL cannot hold, and then cut to what fits."""
    return LIVE.text(text).replace("\0", "\N{REPLACEMENT CHARACTER}")[:LONGEST]
