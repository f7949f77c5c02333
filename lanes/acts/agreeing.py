"""Whether `.runner` and GitHub say the same of a registration, before our record does (X11). Pure."""

from dataclasses import dataclass
from typing import Literal

from lanes.contracts import Desired, Observed
from lanes.parts import Parts, parts_of

# "late": .runner has an id that GitHub does not list, and may still. "unread": a place could not be asked
State = Literal["proven", "none", "refuted", "late", "unread"]
GONE = ("none", "empty")


@dataclass(frozen=True, slots=True)
class Registered:
    """`agent_id` is the lane's own runner if that is `proven`, else None; `why` says what the places say."""

    state: State
    agent_id: int | None
    why: str

    @property
    def may_change(self) -> bool:
        """Whether another look may see something else without anything being done."""
        return self.state in ("late", "unread")


def registered(desired: Desired, observed: Observed) -> Registered:
    """What the lane's directory and GitHub say of a registration that is to be the lane's own, whatever is on record.

    Only the sole runner of the lane's name is meant, by the id that `.runner` has; what is not read proves nothing.
    """
    told = None if observed.directory is None else observed.directory.agent_id
    parts = parts_of(desired.model_copy(update={"agent_id": told}), observed)
    if parts.folder in GONE:
        return Registered("none", None, f"Nothing is registered in {desired.directory}.")
    if parts.folder != "ours":
        state: State = "refuted" if parts.folder == "foreign" else "unread"
        why = parts.why["directory"]
        return Registered(state, None, f"The registration in {desired.directory} proves nothing: {why}.")
    if parts.registration == "ours":
        return Registered("proven", told, f"GitHub and .runner agree on runner {told}.")
    return Registered(_without_github(parts), None, f"Its .runner says {told}. {_of_github(parts)}")


@dataclass(frozen=True, slots=True)
class Removed:
    """Whether a registration is `gone` from both places: None where that could not be read. `why` says what is left."""

    gone: bool | None
    why: str


def removed(desired: Desired, observed: Observed) -> Removed:
    """What both places say of the registration on record, once it was to be taken back."""
    parts = parts_of(desired, observed)
    if parts.folder not in GONE:
        left = None if parts.folder in ("unread", "unsafe") else False
        return Removed(left, f"Its directory: {parts.why.get('directory') or 'it is still configured'}.")
    if parts.registration not in ("none", "foreign"):
        left = None if parts.registration == "unread" else False
        return Removed(left, f"GitHub: {parts.why.get('listing') or 'it is still listed'}.")
    return Removed(True, "Neither GitHub nor its directory has it any more.")


def _without_github(parts: Parts) -> State:
    match parts.registration:
        case "none":
            return "late"
        case "unread":
            return "unread"
        case _:
            return "refuted"


def _of_github(parts: Parts) -> str:
    return f"{parts.why.get('listing') or 'GitHub lists no such runner'}."
