"""The single steps of a lane's plan: what each is about, what must hold just before it, how to get back. Pure."""

from collections.abc import Callable, Iterable, Mapping

from lanes.contracts import Desired
from lanes.names import folded
from lanes.plan.case import Case
from lanes.plan.order import unit_is
from lanes.plan.verbs import WAYS, Verb
from launchplane.changes.contracts import Json, PlannedStep


def planned_steps(verbs: Iterable[Verb], case: Case) -> tuple[PlannedStep, ...]:
    """The steps with their numbers."""
    return tuple(_step(position, verb, case) for position, verb in enumerate(verbs, start=1))


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
    return _unit(case) | {"exists": service is not None and service.exists, "ours": unit_is(case, "ours")}


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
