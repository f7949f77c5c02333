"""The single steps of a lane's plan: what is done, to what, what must hold just before, how to get back. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from lanes.contracts import Desired
from lanes.names import folded
from lanes.parts import Parts
from lanes.plan.case import Case
from launchplane.changes.contracts import Json, PlannedStep

Verb = Literal[
    "stop",
    "disable",
    "remove-unit",
    "unconfigure-here",
    "remove-registration",
    "fetch",
    "ask-token",
    "ask-remove-token",
    "configure",
    "unconfigure",
    "set-labels",
    "install-unit",
    "daemon-reload",
    "enable-now",
    "restart",
]
# M60: token, config.sh, helper
REGISTER: tuple[Verb, ...] = ("fetch", "ask-token", "configure")
SUPERVISE: tuple[Verb, ...] = ("install-unit", "daemon-reload", "enable-now")
UNSUPERVISE: tuple[Verb, ...] = ("stop", "disable", "remove-unit", "daemon-reload")
# each of these ends what the runner does, or takes from it what it needs to end it well
INTERRUPTING: frozenset[Verb] = frozenset({"stop", "restart", "unconfigure", "unconfigure-here", "remove-registration"})
# GitHub refuses these while it counts a job on the runner
UNREGISTERING: frozenset[Verb] = frozenset({"unconfigure", "remove-registration"})


@dataclass(frozen=True, slots=True)
class Way:
    """How a verb is done: the call that it needs, as whom, and in sentences why it is done and how to get back."""

    call: str
    user: Literal["root", "service user", "GitHub"]
    why: str
    back: str
    reversible: Literal["yes", "no"] = "yes"


PLAN_AGAIN = "Plan the lane again: what is missing is made again."
WAYS: Mapping[Verb, Way] = {
    "stop": Way("launchplane-unit stop", "root", "Nothing may run while this changes.", "Enable and start the unit."),
    "disable": Way("launchplane-unit disable", "root", "It must not start again by itself.", "Enable the unit."),
    "remove-unit": Way("launchplane-unit remove-unit", "root", "The lane needs no unit any more.", PLAN_AGAIN),
    "unconfigure-here": Way(
        "launchplane-runner unconfigure",
        "service user",
        "GitHub has no such registration any more.",
        "Plan the lane again: it is registered under a new id.",
        "no",
    ),
    "remove-registration": Way(
        "github delete-runner",
        "GitHub",
        "The registration is ours, and no directory belongs to it.",
        "Plan the lane again: it is registered under a new id.",
        "no",
    ),
    "fetch": Way(
        "launchplane-runner fetch",
        "service user",
        "GitHub's runner brings config.sh and run.sh.",
        "Its files do nothing by themselves.",
    ),
    "ask-token": Way(
        "github registration-token",
        "GitHub",
        "config.sh registers with it, once; nobody else sees it.",
        "It ends by itself within the hour.",
    ),
    "ask-remove-token": Way(
        "github remove-token",
        "GitHub",
        "config.sh takes the registration back with it; nobody else sees it.",
        "It ends by itself within the hour.",
    ),
    "configure": Way(
        "launchplane-runner configure",
        "service user",
        "The lane is not registered.",
        "Remove the lane: its registration is taken back.",
    ),
    "unconfigure": Way(
        "launchplane-runner unconfigure",
        "service user",
        "The registration is ours and not wanted any more.",
        "Plan the lane again: it is registered under a new id.",
        "no",
    ),
    "set-labels": Way("github set-labels", "GitHub", "Its labels are not those of its record.", "Set the old ones."),
    "install-unit": Way(
        "launchplane-unit install-or-update-unit", "root", "Its unit is not as it must be.", "Remove the unit."
    ),
    "daemon-reload": Way("launchplane-unit daemon-reload", "root", "systemd must read its units.", "Nothing to do."),
    "enable-now": Way("launchplane-unit enable-now", "root", "It must run, now and from every boot on.", "Stop it."),
    "restart": Way("launchplane-unit restart", "root", "It must start anew.", "Nothing to do: it runs again."),
}


def verbs_for(case: Case) -> tuple[Verb, ...]:
    """What the action does, in order, from what is there. Whether it may is not decided here."""
    if case.shape == "unknown_conflict":
        return ()  # nobody can say what is there
    match case.action:
        case "create":
            return (*REGISTER, *SUPERVISE)
        case "adopt":
            return (*_labels(case), *_newer(case), *SUPERVISE)
        case "reconcile":
            return _reconciling(case)
        case "restart":
            return ("restart",) if _unit_is(case, "enabled") else ("restart", "enable-now")
        case "remove":
            return _removing(case.parts)


def planned_steps(verbs: Iterable[Verb], case: Case) -> tuple[PlannedStep, ...]:
    """The steps with their numbers."""
    return tuple(_step(position, verb, case) for position, verb in enumerate(verbs, start=1))


def _reconciling(case: Case) -> tuple[Verb, ...]:
    """From what is there to what is wanted, with as little as does it."""
    parts = case.parts
    if parts.registration == "none":
        stop: tuple[Verb, ...] = () if parts.unit == "none" else ("stop",)
        clear: tuple[Verb, ...] = ("unconfigure-here",) if parts.folder == "ours" else ()
        return (*stop, *clear, *REGISTER, *SUPERVISE)
    if parts.folder != "ours":
        return ("remove-registration", *REGISTER, *SUPERVISE)
    return (*_labels(case), *_of_service(case))


def _of_service(case: Case) -> tuple[Verb, ...]:
    """What brings the runner's files, its unit and whether it runs to what they must be (M64: offline is not)."""
    newer, active, as_written = _newer(case), case.parts.unit == "active", _unit_is(case, "ours")
    runs = active and _unit_is(case, "enabled") and not newer
    offline = case.parts.runner is not None and not case.parts.runner.online
    stop: tuple[Verb, ...] = ("stop",) if newer and active else ()
    text: tuple[Verb, ...] = () if as_written else ("install-unit", "daemon-reload")
    start: tuple[Verb, ...] = () if runs else ("enable-now",)
    again: tuple[Verb, ...] = ("restart",) if active and not newer and (offline or not as_written) else ()
    return (*stop, *newer, *text, *start, *again)


def _removing(parts: Parts) -> tuple[Verb, ...]:
    """The unit first: what is left after a failure is then a registration that is provably ours, and offline."""
    unit: tuple[Verb, ...] = () if parts.unit == "none" else UNSUPERVISE
    if parts.folder == "ours":
        here: tuple[Verb, ...] = ("unconfigure-here",)
        return (*unit, *(here if parts.registration == "none" else ("ask-remove-token", "unconfigure")))
    return unit if parts.registration == "none" else (*unit, "remove-registration")


def _labels(case: Case) -> tuple[Verb, ...]:
    return ("set-labels",) if case.parts.labels else ()


def _newer(case: Case) -> tuple[Verb, ...]:
    """A runner whose version GitHub does not serve any more gets a newer one, where its record lets it (X13)."""
    return ("fetch",) if case.observed.condition == "version_deprecated" else ()


def _unit_is(case: Case, word: Literal["enabled", "ours"]) -> bool:
    service = case.observed.service
    return service is not None and service.exists and (service.enabled if word == "enabled" else service.ours)


def _step(position: int, verb: Verb, case: Case) -> PlannedStep:
    way = WAYS[verb]
    target, title = _target(verb, case.desired)
    return PlannedStep(
        position=position,
        verb=verb,
        target=target,
        title=title,
        expected=_EXPECTED[verb](case),
        undo={"why": way.why, "in_words": way.back},
        reversible=way.reversible,
        predicted_bytes=None,
    )


def _target(verb: Verb, desired: Desired) -> tuple[str, str]:
    """What a step is about, and that in words."""
    if verb in ("ask-token", "ask-remove-token"):
        return desired.scope, f"token of {desired.scope}"
    if verb in ("set-labels", "remove-registration"):
        return f"{desired.scope}/{desired.agent_id}", f"runner {desired.agent_id} of {desired.scope}"
    if WAYS[verb].user == "service user":
        return desired.directory, f"directory {desired.directory}"
    return desired.systemd_unit_name, f"unit {desired.systemd_unit_name}"


# --- what must hold just before: after the steps that come before it, and by their hand -------------------------------


def _unit(case: Case) -> dict[str, Json]:
    """Whose the unit is, by what it runs."""
    desired = case.desired
    return {
        "unit": desired.systemd_unit_name,
        "directory": desired.directory,
        "service_user": desired.service_user,
    }


def _unit_found(case: Case) -> dict[str, Json]:
    service = case.observed.service
    return _unit(case) | {"exists": service is not None and service.exists, "ours": _unit_is(case, "ours")}


def _unit_written(case: Case) -> dict[str, Json]:
    return _unit(case) | {"exists": True, "ours": True}


def _stopping(case: Case) -> dict[str, Json]:
    """Only the runner that is ours, and only while no job runs."""
    return _unit_found(case) | _registered(case) | {"job": "none"}


def _restarting(case: Case) -> dict[str, Json]:
    return _unit_written(case) | _registered(case) | {"job": "none"}


def _directory(case: Case) -> dict[str, Json]:
    return {"directory": case.desired.directory, "service_user": case.desired.service_user}


def _registered(case: Case) -> dict[str, Json]:
    """Which runner it is: GitHub's id, which is on record and in `.runner` (X11)."""
    desired = case.desired
    return {"scope": desired.scope, "lane_name": desired.lane_name, "agent_id": desired.agent_id}


def _nobody_registered(case: Case) -> dict[str, Json]:
    return {"scope": case.desired.scope, "lane_name": case.desired.lane_name, "runners_of_that_name": 0}


def _configuring(case: Case) -> dict[str, Json]:
    """`config.sh` never replaces a runner of the same name: that might be somebody else's."""
    more: dict[str, Json] = {
        "labels": case.desired.labels,
        "updates_itself": case.desired.runner_version_policy == "update",
        "configured": False,
        "replace": False,
    }
    return _directory(case) | _nobody_registered(case) | more


def _unconfiguring(case: Case) -> dict[str, Json]:
    return _directory(case) | _registered(case) | {"configured": True}


def _deleting(case: Case) -> dict[str, Json]:
    return _registered(case) | {"online": False, "busy": False}


def _labelling(case: Case) -> dict[str, Json]:
    """The labels as they were seen, and as they will be."""
    runner = case.parts.runner
    seen: Json = () if runner is None else tuple(sorted(runner.labels, key=folded))
    return _registered(case) | {"labels_seen": seen, "labels": case.desired.labels}


_EXPECTED: Mapping[Verb, Callable[[Case], dict[str, Json]]] = {
    "stop": _stopping,
    "disable": _unit_found,
    "remove-unit": _unit_found,
    "unconfigure-here": _unconfiguring,
    "remove-registration": _deleting,
    "fetch": _directory,
    "ask-token": _nobody_registered,
    "ask-remove-token": _registered,
    "configure": _configuring,
    "unconfigure": _unconfiguring,
    "set-labels": _labelling,
    "install-unit": _unit_found,
    "daemon-reload": _unit,
    "enable-now": _unit_written,
    "restart": _restarting,
}
