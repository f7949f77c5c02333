"""Which of seven shapes a lane has: total over all that can be seen, with no case left to a default. Pure.

Absence is a proof of its own: what was not read is a conflict that nobody can name, never "absent".
"""

from collections.abc import Mapping

from lanes.contracts import Desired, Observed, Shape
from lanes.parts import Folder, Parts, Registration, Unit, parts_of

# all that the three places can say together, when each can be believed
SHAPES: Mapping[tuple[Registration, Folder, Unit], Shape] = {
    # GitHub has no runner of that name, and the listing was complete
    ("none", "none", "none"): "absent",
    ("none", "empty", "none"): "absent",
    ("none", "ours", "none"): "local_service_only",
    ("none", "none", "active"): "local_service_only",
    ("none", "none", "inactive"): "local_service_only",
    ("none", "empty", "active"): "local_service_only",
    ("none", "empty", "inactive"): "local_service_only",
    ("none", "ours", "active"): "local_service_only",
    ("none", "ours", "inactive"): "local_service_only",
    # GitHub has the runner that we registered
    ("ours", "none", "none"): "github_only",
    ("ours", "empty", "none"): "github_only",
    ("ours", "ours", "none"): "github_only",
    ("ours", "ours", "active"): "supervised_active",
    ("ours", "ours", "inactive"): "supervised_inactive",
    # a unit whose runner's directory says nothing of the registration
    ("ours", "none", "active"): "unknown_conflict",
    ("ours", "none", "inactive"): "unknown_conflict",
    ("ours", "empty", "active"): "unknown_conflict",
    ("ours", "empty", "inactive"): "unknown_conflict",
    # GitHub has somebody else's runner of that name
    ("foreign", "none", "none"): "github_only",
    ("foreign", "empty", "none"): "github_only",
    ("foreign", "ours", "none"): "unknown_conflict",
    ("foreign", "none", "active"): "unknown_conflict",
    ("foreign", "none", "inactive"): "unknown_conflict",
    ("foreign", "empty", "active"): "unknown_conflict",
    ("foreign", "empty", "inactive"): "unknown_conflict",
    ("foreign", "ours", "active"): "unknown_conflict",
    ("foreign", "ours", "inactive"): "unknown_conflict",
}
# one of these in its place is enough: nobody can say what the others mean
_NOT_BELIEVED = frozenset({"unread", "unsafe", "foreign"})
_SUPERVISED = ("supervised_active", "supervised_inactive")


def shape_of(desired: Desired, observed: Observed) -> Shape:
    """The one shape of a lane, from what was seen of it."""
    return shape_from(parts_of(desired, observed))


def shape_from(parts: Parts) -> Shape:
    """The one shape of a lane, from the words for what was seen of it."""
    if parts.registration in ("unread", "ambiguous") or {parts.folder, parts.unit} & _NOT_BELIEVED:
        return "unknown_conflict"
    shape = SHAPES[parts.registration, parts.folder, parts.unit]
    return "mismatched_labels" if shape in _SUPERVISED and parts.labels else shape
