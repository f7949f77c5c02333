"""What stands against a lane before anybody looks at it: its record, its host, its grant, its neighbours. Pure."""

from collections.abc import Iterator

from lanes.contracts import Action, Desired
from lanes.names import (
    MANAGED_LABEL,
    is_allowed_root,
    is_label,
    is_lane_name,
    is_plain_path,
    is_scope,
    is_service_user,
    missing_labels,
    required_labels,
    same,
    unit_name,
)
from lanes.plan.case import Case
from lanes.plan.codes import blocker
from lanes.plan.scene import HostFacts, Scene
from launchplane.changes.contracts import Blocker
from launchplane.words import printable

SHOWN = 80
# these add a lane to the host; the others are about one that is there
ADDING: frozenset[Action] = frozenset({"create", "adopt"})


def of_record(case: Case) -> Iterator[Blocker]:
    """Every blocker that needs no observation."""
    yield from _of_itself(case.desired)
    yield from _of_host(case.scene.host, case.desired)
    yield from _of_neighbours(case.scene)
    yield from _of_grant(case.scene, case.action)


def _of_itself(desired: Desired) -> Iterator[Blocker]:
    if not desired.managed:
        yield blocker("not_managed", "The lane's record says that Launchplane does not manage it.")
    yield from _names(desired)
    if desired.systemd_unit_name != unit_name(desired.lane_name):
        unit = _shown(desired.systemd_unit_name)
        yield blocker("unit_mismatch", f"Its unit must be {_shown(unit_name(desired.lane_name))}, and is {unit}.")
    missing = missing_labels(required_labels(desired.host_name), desired.labels)
    if MANAGED_LABEL in missing:
        yield blocker("managed_label_missing", f"Its record lacks the label {MANAGED_LABEL}.")
    if others := [label for label in missing if label != MANAGED_LABEL]:
        yield blocker("required_label_missing", f"Its record lacks the labels {_shown(', '.join(others))}.")


def _names(desired: Desired) -> Iterator[Blocker]:
    """Names that could mean something else to a shell, a path, a unit or GitHub (M31)."""
    if not is_lane_name(desired.lane_name):
        yield blocker("unsafe_name", f"No lane may be called {_shown(desired.lane_name)}.")
    if not is_scope(desired.scope):
        yield blocker("unsafe_name", f"{_shown(desired.scope)} is neither owner/repository nor an organization.")
    if not is_service_user(desired.service_user):
        yield blocker("unsafe_name", f"No lane may run as {_shown(desired.service_user)}.")
    if bad := [label for label in desired.labels if not is_label(label)]:
        yield blocker("unsafe_name", f"{_shown(bad[0])} is no usable label.")
    if not (is_plain_path(desired.registration_root) and is_plain_path(desired.directory)):
        yield blocker("unsafe_path", f"{_shown(desired.directory)} is no plain path of a folder.")


def _of_host(host: HostFacts, desired: Desired) -> Iterator[Blocker]:
    if desired.host_name != host.name:
        yield blocker("another_host", f"The lane belongs on {_shown(desired.host_name)}, not on {host.name}.")
    if not host.approved:
        yield blocker("host_not_approved", f"{host.name} is not approved for changes.")
    if not host.lanes_enabled:
        yield blocker("lanes_not_enabled", f"Lanes are not enabled on {host.name}.")
    if not is_allowed_root(desired.registration_root, host.runner_roots):
        root = _shown(desired.registration_root)
        yield blocker("root_not_allowed", f"{root} is not one of the runner roots of {host.name}.")
    if desired.service_user not in host.service_users:
        user = _shown(desired.service_user)
        yield blocker("service_user_mismatch", f"{user} is not one of the service users of {host.name}.")


def _of_neighbours(scene: Scene) -> Iterator[Blocker]:
    if scene.twins:
        yield blocker("duplicate_lane", f"There is another lane of that name: {_shown(scene.twins[0])}.")
    if scene.sharers:
        yield blocker("service_user_shared", f"Its service user is that of another lane: {_shown(scene.sharers[0])}.")


def _of_grant(scene: Scene, action: Action) -> Iterator[Blocker]:
    """No grant means no (L3). A grant that became smaller stops new lanes, and lets those be that are there."""
    desired, grant = scene.desired, scene.grant
    if grant is None or grant.host_name != scene.host.name or not same(grant.scope, desired.scope):
        yield blocker("repository_not_allowed", f"{_shown(desired.scope)} may have no lanes on {scene.host.name}.")
    elif action in ADDING and scene.lanes_granted > grant.max_lanes:
        counted = f"{scene.lanes_granted} lanes are on record, and {grant.max_lanes} are granted"
        yield blocker("too_many_lanes", f"{_shown(desired.scope)} on {scene.host.name}: {counted}.")


def _shown(text: str) -> str:
    """Text of a record that may be anything, short and on one line."""
    return printable(text[:SHOWN])
