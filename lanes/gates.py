"""The gates of a lane's change: each from what was observed, with its evidence and a sentence. Pure.

What could not be seen is unknown, and unknown counts as closed. A closed gate puts an approved change off.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from lanes.contracts import Observed
from lanes.parts import Parts
from lanes.plan.verbs import INTERRUPTING, Verb
from lanes.work import Work, work_on
from launchplane.changes.contracts import Blocker, Gate, Json
from launchplane.words import human_age, printable

FRESH = timedelta(minutes=5)
LONGEST = 300
ALL = ("identity", "fresh", "freeze", "lock", "grant")
NOT_BUSY = "not_busy"
INTERRUPTING_KINDS = frozenset({"lane.restart", "lane.remove"})


def names_for(kind: str, verbs: Iterable[Verb]) -> tuple[str, ...]:
    """The gates of a plan: whatever may end a job needs the proof that none runs (L24)."""
    interrupts = kind in INTERRUPTING_KINDS or not INTERRUPTING.isdisjoint(verbs)
    return (*ALL, NOT_BUSY) if interrupts else ALL


def identity(seen: str | None, pinned: str, *, why_unseen: str = "") -> Gate:
    """Open only for the machine that was there when the host was added, known by its engine; None was not seen."""
    if seen is None:
        return _unknown("identity", f"Which machine answers was not seen: {why_unseen or 'nobody looked'}", {})
    evidence: dict[str, Json] = {"engine_id": seen, "pinned": pinned}
    if seen != pinned:
        return _closed("identity", f"Another machine answers ({seen}) than the one that was added", evidence)
    return _open("identity", f"The machine is the one that was added ({seen})", evidence)


def fresh(observed: Observed, unread: Iterable[Blocker], now: datetime) -> Gate:
    """Open only for a look of the last five minutes that saw all that decides; `unread` is what it did not see."""
    seen_at = observed.seen_at if observed.listing is None else min(observed.seen_at, observed.listing.seen_at)
    evidence: dict[str, Json] = {"seen_at": seen_at.isoformat(), "age_seconds": int((now - seen_at).total_seconds())}
    missing = [blocker.summary for blocker in unread]
    if missing:
        return _unknown("fresh", " ".join(missing), evidence | {"unread": tuple(missing)})
    if not timedelta(0) <= now - seen_at <= FRESH:
        return _closed("fresh", f"What is known of it is from {human_age(seen_at, now)}", evidence)
    listed = () if observed.listing is None else observed.listing.request_ids
    return _open("fresh", f"It was looked at {human_age(seen_at, now)}", evidence | {"request_ids": listed})


def grant(against: Iterable[Blocker], evidence: Mapping[str, Json]) -> Gate:
    """Open only while the lane's record, its host's settings and the grant allow it; `against` is what does not."""
    found = tuple(against)
    if found:
        codes = tuple(blocker.code for blocker in found)
        return _closed("grant", " ".join(blocker.summary for blocker in found), {**evidence, "against": codes})
    return _open("grant", "Its record, its host and the grant of its scope allow it", evidence)


def not_busy(parts: Parts, observed: Observed) -> Gate:
    """Open only if GitHub and the unit's own processes both say that no job runs (L24)."""
    work: Work = work_on(parts, observed)
    evidence: dict[str, Json] = {
        "registration": parts.registration,
        "online": None if parts.runner is None else parts.runner.online,
        "busy": None if parts.runner is None else parts.runner.busy,
        "workers": None if observed.service is None else observed.service.workers,
    }
    if work.state == "unknown":
        return _unknown(NOT_BUSY, work.reason, evidence)
    return _open(NOT_BUSY, work.reason, evidence) if work.state == "none" else _closed(NOT_BUSY, work.reason, evidence)


def unbroken(failed: str | None) -> Gate:
    """Closed as soon as a step of this run did not do what it was to do: what comes after it rests on it."""
    if failed is not None:
        return _closed("unbroken", f"A step before it did not end well: {failed}", {})
    return _open("unbroken", "Every step before it was done", {})


def _open(name: str, sentence: str, evidence: Mapping[str, Json]) -> Gate:
    return Gate(name=name, state="open", reason=_sentence(sentence), evidence=dict(evidence))


def _closed(name: str, sentence: str, evidence: Mapping[str, Json]) -> Gate:
    return Gate(name=name, state="closed", reason=_sentence(sentence), evidence=dict(evidence))


def _unknown(name: str, sentence: str, evidence: Mapping[str, Json]) -> Gate:
    reason = f"{_sentence(sentence)} Counts as closed."
    return Gate(name=name, state="unknown", reason=reason, evidence=dict(evidence))


def _sentence(text: str) -> str:
    """Text that a host or GitHub may have a part in, on one line, with its full stop."""
    return f"{printable(text[:LONGEST]).rstrip('.')}."
