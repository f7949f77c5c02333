"""What a run came to, in numbers: for its sentence, and for the record of its end."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from launchplane.changes.contracts import Evidence
from launchplane.changes.models import Change, Step
from launchplane.words import human_bytes

# what was predicted and what came of it may differ by a tenth, or by a megabyte, before it is worth a word
TOLERATED_SHARE, TOLERATED_BYTES = 10, 10**6
# the canonical form holds no number from here on (RFC 8785): it is not known then
TOO_LARGE = 2**53


def figures(change: Change, steps: Sequence[Step], after: Evidence | str | None) -> dict[str, Any]:
    """Prediction against what came of it; the host's own figure counts, what the items say is the second best."""
    freed = _sum([step.freed_bytes for step in steps if step.freed_bytes is not None])
    said = after.actual_bytes if isinstance(after, Evidence) else None
    actual = said if said is not None else freed
    return {
        "predicted_bytes": change.predicted_bytes,
        "freed_bytes": freed,
        "actual_bytes": actual,
        "disagrees": _disagrees(change.predicted_bytes, actual),
    }


def counted(steps: Sequence[Step], freed_bytes: int | None) -> str:
    """How many items had which outcome, and what that freed if it is known: `3 done, 1 skipped, freed 1.2 GB.`"""
    counts = Counter(str(step.outcome) for step in steps)
    parts = [f"{number} {outcome}" for outcome, number in counts.items()]
    if counts[Step.Outcome.DONE] and freed_bytes is not None:
        parts.append(f"freed {human_bytes(freed_bytes)}")
    return f"{', '.join(parts)}." if parts else "No items."


def least(steps: Sequence[Step], why: str) -> dict[str, Any]:
    """All that a record says of a run whose whole account cannot be written down: nothing in it is a host's."""
    return {
        "mode": "apply",
        "not_kept": why,
        "outcomes": dict(Counter(str(step.outcome) or "none" for step in steps)),
        "nothing_changed": not any(step.intent_at for step in steps),
    }


def _sum(numbers: Sequence[int]) -> int | None:
    total = sum(numbers)
    return total if numbers and abs(total) < TOO_LARGE else None


def _disagrees(predicted: int | None, actual: int | None) -> bool | None:
    if predicted is None or actual is None:
        return None
    return abs(predicted - actual) > max(TOLERATED_BYTES, predicted // TOLERATED_SHARE)
