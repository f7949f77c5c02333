"""How a change comes about: one person asks, another approves in the browser, a key or a worker applies."""

from typing import Any

from tests.proof.lane.place import LANE, Place
from tests.proof.lane.record import Evidence, NotProven, require


def ask(place: Place, change: dict[str, Any], *, later: bool) -> None:
    """The operator asks; `later` leaves the application to somebody with a key."""
    words = ["changes", "request", change["id"], "--reason", "the live proof", "--as", place.operator.name]
    asked = place.shell.json(*words, *(["--later"] if later else []), password=place.operator.password, ends=(0, 3))
    require(asked["status"] == "awaiting_approval", f"it is {asked['status']} after it was asked for")


def approve(place: Place, change: dict[str, Any], *, phrase: str) -> Evidence:
    """The approver reads the plan's page and approves. The operator, who asked, is not even offered it."""
    page = f"/changes/{change['id']}/"
    try:
        place.operator.send(page, "approve", reason="I would like to myself")
    except NotProven:
        refused = True
    else:
        refused = False
    require(refused, "the one who asked could approve")
    values = {"reason": "read it, the live proof wants it"} | ({"phrase": phrase} if phrase else {})
    place.approver.send(page, "approve", **values)
    return {"asked_by": place.operator.name, "approved_by": place.approver.name, "phrase": phrase}


def phrase_of(action: str) -> str:
    """What has to be typed for an action that asks for it."""
    return f"{action} {LANE}"


def ended_well(change: dict[str, Any], place: Place) -> dict[str, Any]:
    """The change at its end. Raises NotProven with every step that did not do what it should."""
    found = place.shell.at_its_end(change["id"])
    steps = [(s["verb"], s["outcome"], s["detail"]) for s in found["steps"] if s["outcome"] not in ("done", "gone")]
    closed = [(gate["name"], gate["reason"]) for gate in found["gates"] if gate["state"] != "open"]
    told = f"{found['status']} {found.get('sentence', '')}: steps {steps}, gates {closed}"
    require(found["status"] == "completed", told)
    return found
