"""Whether `.runner` and GitHub say the same of a registration, before our record does (X11). Pure."""

from dataclasses import dataclass

from lanes.contracts import Desired, Observed
from lanes.parts import Parts, parts_of


@dataclass(frozen=True, slots=True)
class Registered:
    """`agent_id` is proven to be the lane's own runner; else it is None, and `why` says what is missing.

    `settled` is False while that may still come: a place could not be asked, or GitHub does not list it yet.
    """

    agent_id: int | None
    why: str
    settled: bool


def registered(desired: Desired, observed: Observed) -> Registered:
    """What the lane's directory and GitHub say of a registration that is to be the lane's own, whatever is on record.

    Only the sole runner of the lane's name is meant, by the id that `.runner` has; what is not read proves nothing.
    """
    directory = observed.directory
    told = None if directory is None else directory.agent_id
    parts = parts_of(desired.model_copy(update={"agent_id": told}), observed)
    if parts.folder in ("none", "empty"):
        return Registered(None, f"Nothing is registered in {desired.directory}.", settled=True)
    if parts.folder != "ours":
        why = parts.why["directory"]
        return Registered(None, f"The registration in {desired.directory} proves nothing: {why}.", told is not None)
    if parts.registration == "ours":
        return Registered(told, f"GitHub and .runner agree on runner {told}.", settled=True)
    return Registered(None, f"Its .runner says {told}. {_of_github(parts)}", settled=False)


def gone(desired: Desired, observed: Observed) -> str | None:
    """None if neither GitHub nor the directory has the registration on record any more; else what still has it."""
    parts = parts_of(desired, observed)
    if parts.folder not in ("none", "empty"):
        return f"Its directory: {parts.why.get('directory') or 'it is still configured'}."
    if parts.registration not in ("none", "foreign"):
        return f"GitHub: {parts.why.get('listing') or 'it is still listed'}."
    return None


def _of_github(parts: Parts) -> str:
    return f"{parts.why.get('listing') or 'GitHub lists no such runner'}."
