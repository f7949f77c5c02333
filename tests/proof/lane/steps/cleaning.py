"""Hygiene over ssh, on the same host: the numbers of its own client, and a clean-up of what was approved."""

from tests.proof.lane.place import Place
from tests.proof.lane.record import Evidence


def same_numbers(place: Place) -> Evidence:
    """H3: the report is what `docker system df` on the host itself says."""
    raise NotImplementedError


def cleaned(place: Place) -> Evidence:
    """H25: dangling images that carry the managed label go, by an approved change, and nothing else does."""
    raise NotImplementedError
