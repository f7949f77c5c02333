"""What stands against an action from what was seen of a lane. Pure.

Every part that is not read, not ours or not in agreement with the others has its blocker here, whatever is asked.
"""

from collections.abc import Iterator, Mapping

from lanes.parts import Folder, Parts, Registration, Unit
from lanes.plan.case import Case
from lanes.plan.codes import Code, blocker
from lanes.plan.verbs import INTERRUPTING, UNREGISTERING, Verb
from lanes.work import github_holds_a_job, runs_unsupervised, work_on
from launchplane.changes.contracts import Blocker
from launchplane.words import printable

SHOWN = 300
_OF_REGISTRATION: Mapping[Registration, Code] = {
    "unread": "not_measured",
    "ambiguous": "duplicate_lane",
    "foreign": "unmanaged_runner",
}
_OF_FOLDER: Mapping[Folder, Code] = {"unread": "not_measured", "unsafe": "unsafe_path", "foreign": "stale_state"}
_OF_UNIT: Mapping[Unit, Code] = {"unread": "not_measured", "foreign": "unit_mismatch"}


def of_sight(case: Case, verbs: tuple[Verb, ...]) -> Iterator[Blocker]:
    """Every blocker that an observation brings, for the steps that the action would take."""
    yield from _of_parts(case.parts)
    yield from _of_agreement(case)
    yield from _of_users(case)
    yield from _of_condition(case)
    if case.action == "restart":
        yield from _of_restart(case)
    yield from _of_work(case, verbs)
    if case.observed.control_path is False:
        yield blocker("control_path_missing", "The programs that restart and remove it are not on its host.")
    yield from _of_baseline(case, verbs)


def _of_parts(parts: Parts) -> Iterator[Blocker]:
    """Each place that cannot be believed, or that is somebody else's (X11, L13)."""
    places = {
        "listing": _OF_REGISTRATION.get(parts.registration),
        "directory": _OF_FOLDER.get(parts.folder),
        "service": _OF_UNIT.get(parts.unit),
    }
    for place, code in places.items():
        if code is not None:
            yield blocker(code, f"{place.capitalize()}: {_shown(parts.why[place])}.")


def _of_agreement(case: Case) -> Iterator[Blocker]:
    """Parts that can each be believed, and say together what nobody can act on."""
    parts, service = case.parts, case.observed.service
    has_unit, configured = parts.unit in ("active", "inactive"), parts.folder == "ours"
    if parts.registration == "ours" and has_unit and parts.folder in ("none", "empty"):
        yield blocker("unknown_conflict", "It is registered and has its unit, and its directory is not configured.")
    if parts.registration == "none" and has_unit and not configured and not (service is not None and service.ours):
        yield blocker("stale_state", "It has a unit that is not as written here, and nothing proves whose that is.")
    if runs_unsupervised(parts):
        yield blocker("runs_unsupervised", "GitHub shows it online, and its unit does not run.")


def _of_users(case: Case) -> Iterator[Blocker]:
    """Directory and process belong to the lane's own user (M29). A unit that does not run has no process."""
    wanted, directory, service = case.desired.service_user, case.observed.directory, case.observed.service
    if directory is not None and directory.exists and directory.owner != wanted:
        owner = _shown(directory.owner) or "nobody could tell whom"
        yield blocker("service_user_mismatch", f"Its directory belongs to {owner}, not to {wanted}.")
    if service is None or not service.exists:
        return
    if service.active_state == "active" and not service.process_user:
        yield blocker("not_measured", "Service: whom its process runs as was not read.")
    elif service.process_user not in ("", wanted):
        yield blocker("service_user_mismatch", f"Its process runs as {_shown(service.process_user)}, not as {wanted}.")


def _of_condition(case: Case) -> Iterator[Blocker]:
    """What its log says of why it is not at work, where that forbids what is asked (X12).

    Nothing here holds for a lane that GitHub does not know: then the log speaks of a registration that is gone.
    """
    condition = case.observed.condition
    if case.parts.registration != "ours":
        return
    if condition == "session_conflict":
        yield blocker("session_conflict", "Its log says that something else uses its registration.")
    if condition == "registration_expired" and case.parts.folder == "ours" and case.action != "remove":
        yield blocker("registration_expired", "Its log says that its registration is gone, and GitHub lists it.")
    if condition == "version_deprecated" and case.action != "remove":
        fixed = case.desired.runner_version_policy == "fixed"
        if fixed or case.action == "restart":
            why = "its record keeps the version" if fixed else "a restart brings no other"
            yield blocker("version_deprecated", f"GitHub does not serve its version any more, and {why}.")


def _of_restart(case: Case) -> Iterator[Blocker]:
    """Only a supervised runner that will be as it must be afterwards is restarted (M63, M67)."""
    service = case.observed.service
    if case.shape in ("absent", "github_only", "local_service_only"):
        yield blocker("not_supervised", "There is no supervised runner of ours that could be restarted.")
    elif case.parts.labels:
        wrong = _shown(" ".join(case.parts.labels))
        yield blocker("labels_differ", f"Its labels are not those of its record. {wrong}.")
    if case.parts.unit in ("active", "inactive") and service is not None and not service.ours:
        yield blocker("unit_mismatch", "Its unit is not the one that would be written now.")


def _of_work(case: Case, verbs: tuple[Verb, ...]) -> Iterator[Blocker]:
    """Nothing that interrupts is done unless it is proven that no job runs (L24)."""
    work = work_on(case.parts, case.observed)
    if INTERRUPTING.intersection(verbs) and work.state != "none":
        yield blocker("lane_busy" if work.state == "running" else "work_unknown", work.reason)
    elif UNREGISTERING.intersection(verbs) and github_holds_a_job(case.parts, case.observed):
        yield blocker("lane_busy", "GitHub still counts a job on it, and deletes no such runner.")


def _of_baseline(case: Case, verbs: tuple[Verb, ...]) -> Iterator[Blocker]:
    """A lane that runs under the unit written here has its baseline, or nothing can be completed (M33, M66).

    One that does not run so yet cannot have it (M35), a removal needs none, and labels that the plan sets need not be
    right before.
    """
    baseline = case.observed.baseline
    demanded = case.action != "remove" and case.parts.unit == "active" and "install-unit" not in verbs
    if not demanded or (baseline is not None and baseline.ready):
        return
    if baseline is None or not baseline.checks:
        why = case.observed.unmeasured.get("baseline") or "Nobody looked"
        yield blocker("baseline_not_ready", f"Baseline: {_shown(why)}.")
        return
    for name, state in baseline.checks.items():
        if state is not True and not (name == "labels" and "set-labels" in verbs):
            why = baseline.reasons.get(name) or ("not as it must be" if state is False else "not read")
            yield blocker("baseline_not_ready", f"Baseline {_shown(name)}: {_shown(why)}.")


def _shown(text: str) -> str:
    """Text that a host or GitHub sent, short and on one line."""
    return printable(text[:SHOWN].rstrip("."))
