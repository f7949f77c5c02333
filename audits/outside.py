"""What was handed in from outside. It stands in the same chain, and is nobody's proof but the sender's. Pure."""

from typing import Final

HYGIENE: Final = "hygiene.evidence"
LANE: Final = "lane.evidence"
# whoever reads records to decide something leaves these out: their sender chose the key, and says what they say
KINDS: Final = frozenset({HYGIENE, LANE})
