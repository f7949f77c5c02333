"""Template tags for lanes: proofs, the two sides, spans of contact, and what only changes of lanes say."""

import json
from datetime import timedelta

from django import template
from django.utils.safestring import SafeString

from lanes.models import LaneContact
from lanes.names import is_lane_name
from lanes.plan.codes import NEXT_STEPS
from launchplane import words
from launchplane.changes.contracts import Blocker, Gate
from launchplane.changes.kinds import kind_named
from launchplane.changes.models import Change, PlanRun
from launchplane.web.lane_sides import Mark
from launchplane.web.templatetags.web import state

register = template.Library()

PROVEN = {"open": ("good", "proven"), "closed": ("bad", "not so"), "unknown": ("unsure", "not known")}
MARKS: dict[Mark, tuple[str, str]] = {
    "same": ("good", "as wanted"),
    "differs": ("warn", "differs"),
    "unknown": ("unsure", "not known"),
}
BY_CODE = {str(code): step for code, step in NEXT_STEPS.items()}


@register.filter
def is_of_lane(change: Change) -> bool:
    """Whether a change is of a lane: such a one frees nothing."""
    kind = kind_named(change.kind)
    return kind is not None and kind.subject_is_lane


@register.filter
def asked_lane(run: PlanRun) -> str:
    """The lane that a planning is about; nothing for one of a host."""
    name = json.loads(run.asked).get("lane", "")
    return name if isinstance(name, str) and is_lane_name(name) else ""


@register.filter
def proof_state(proof: Gate) -> SafeString:
    """Proven, not so or not known."""
    return state(*PROVEN[proof.state])


@register.filter
def side_state(mark: Mark) -> SafeString:
    """Whether what was seen is what is wanted."""
    return state(*MARKS[mark])


@register.filter
def blocker_next(blocker: Blocker) -> str:
    """What to do about a blocker of a lane's plan; nothing for one of another plan."""
    return BY_CODE.get(blocker.code, "")


@register.filter
def contact_state(contact: LaneContact) -> SafeString:
    """Online or offline, as GitHub said in that span."""
    return state("good", "online") if contact.online else state("bad", "offline")


@register.filter
def lasted(contact: LaneContact) -> str:
    """How long each look of the span saw the same."""
    length: timedelta = contact.until - contact.since
    return words.human_duration(length) if length >= timedelta(seconds=1) else "one look"
