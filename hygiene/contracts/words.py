"""The words that everything in hygiene is told apart by."""

from enum import StrEnum


class Kind(StrEnum):
    """What a resource is."""

    IMAGE = "image"
    CONTAINER = "container"
    VOLUME = "volume"
    BUILD_CACHE = "build_cache"
    BUILDER = "builder"


Key = tuple[Kind, str]  # names one resource of a host


class Class(StrEnum):
    """The one verdict on a resource. Unknown is treated as protected."""

    PROTECTED = "protected"
    IN_USE = "in_use"
    KEPT = "kept"
    CANDIDATE = "candidate"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How a last use is known: seen as an event, seen between two passes, passes with lost events, or never seen."""

    EVENT = "event"
    POLLED = "polled"
    GAP = "gap"
    NEVER_SEEN = "never_seen"
