"""The proofs that a change of a lane did what it was for: completed only if every one is in (M63–M67). Pure.

Of a lane that is kept they are the five of its readiness: enabled and active as the lane's own user, online, labels,
baseline, control path. Of one that was removed: no unit, no registration, no configuration.
"""

from datetime import datetime, timedelta

from lanes.contracts import Desired, Observed
from lanes.parts import Parts, parts_of
from lanes.readiness import readiness
from launchplane.changes.contracts import Gate

# of the look that ends a run: it was made just now
AT_MOST_OLD = timedelta(minutes=5)


def proofs(kind: str, desired: Desired, observed: Observed, *, now: datetime) -> tuple[Gate, ...]:
    """Each proof with its evidence. `desired` has the id of what was registered, or of what was taken back."""
    if kind == "lane.remove":
        return removal_proofs(desired, observed)
    return readiness(desired, observed, now=now, at_most_old=AT_MOST_OLD).proofs


def removal_proofs(desired: Desired, observed: Observed) -> tuple[Gate, ...]:
    """That nothing of the lane is left. A runner of its name that was never ours is not its registration (L6)."""
    parts = parts_of(desired, observed)
    return (_unit_gone(parts), _registration_gone(parts), _not_configured(parts))


def missing(found: tuple[Gate, ...]) -> tuple[str, ...]:
    """Those that are not in, each with why."""
    return tuple(f"{proof.name.replace('_', ' ')} ({proof.reason.rstrip('.')})" for proof in found if not proof.is_open)


def _unit_gone(parts: Parts) -> Gate:
    if parts.unit == "none":
        return _said("unit_gone", "open", "systemd has no unit of its name.")
    if parts.unit == "unread":
        return _said("unit_gone", "unknown", f"{parts.why['service']}. Counts as closed.")
    return _said("unit_gone", "closed", "Its unit is still there.")


def _registration_gone(parts: Parts) -> Gate:
    if parts.registration in ("none", "foreign"):
        return _said("registration_gone", "open", "GitHub lists no runner of ours.")
    if parts.registration == "unread":
        return _said("registration_gone", "unknown", f"{parts.why['listing']}. Counts as closed.")
    return _said("registration_gone", "closed", "GitHub still lists it.")


def _not_configured(parts: Parts) -> Gate:
    if parts.folder in ("none", "empty"):
        return _said("not_configured", "open", "Its directory holds no registration.")
    if parts.folder in ("unread", "unsafe"):
        return _said("not_configured", "unknown", f"{parts.why['directory']}. Counts as closed.")
    return _said("not_configured", "closed", "Its directory is still configured.")


def _said(name: str, state: str, reason: str) -> Gate:
    return Gate.model_validate({"name": name, "state": state, "reason": reason, "evidence": {}})
