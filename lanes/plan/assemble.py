"""From a decision to a plan that people can approve: its steps, its boundary, its bounds, what comes next. Pure.

A plan is ready or blocked; nothing here can say that anything is completed, asks for a token, or does anything.
"""

from collections.abc import Mapping

from lanes.contracts import Action, Desired
from lanes.plan.case import Case
from lanes.plan.codes import next_step
from lanes.plan.decide import Decision, decide, phrase_of
from lanes.plan.facts import facts_of
from lanes.plan.scene import Scene
from lanes.plan.steps import planned_steps
from lanes.plan.verbs import WAYS
from launchplane.changes.contracts import RULES_VERSION, Boundary, DeclaredCall, Json, Plan

TITLES: Mapping[Action, str] = {
    "create": "Create lane",
    "adopt": "Supervise registered lane",
    "reconcile": "Set lane right",
    "restart": "Restart lane",
    "remove": "Remove lane",
}
AFTER = "The same again, with the process's user, the labels and the baseline."
AFTER_REMOVAL = "The same again: no unit, no registration, no configuration."
ROLLBACKS: Mapping[Action, str] = {
    "create": "Remove the lane: its unit, its registration and its configuration go, its directory stays.",
    "adopt": "Remove the lane, or stop, disable and remove its unit by hand.",
    "reconcile": "Each step says how; after a failure the next plan goes on from what is there.",
    "restart": "Nothing is lost: its unit starts it again.",
    "remove": "Create the lane again: it is registered under a new id.",
}


def plan_lane(scene: Scene) -> Plan:
    """The plan of `lane.create`, `adopt`, `reconcile`, `restart` or `remove`: with steps, or with blockers, never both.

    Without either there is nothing to do.
    """
    decision = decide(scene)
    case, desired = decision.case, scene.desired
    return Plan(
        kind=f"lane.{case.action}",
        host=scene.host.name,
        subject=desired.lane_name,
        title=f"{TITLES[case.action]} {desired.lane_name}",
        target_identity=scene.host.identity,
        rules_version=RULES_VERSION,
        steps=planned_steps(decision.verbs, case),
        protections=_protections(desired),
        bounds=_bounds(scene),
        boundary=_boundary(decision),
        predicted_bytes=None,
        blockers=decision.blockers,
        next_steps=_next_steps(decision),
        facts=facts_of(decision),
    )


def nothing_to_do(plan: Plan) -> str | None:
    """Why there is nothing to ask for, in a sentence; None if there is, or if it is blocked."""
    if plan.steps or plan.blockers:
        return None
    wanted = "gone already" if plan.kind == "lane.remove" else "as its record wants it"
    return f"Nothing to do: {plan.subject} is {wanted}."


def _protections(wanted: Desired) -> tuple[str, ...]:
    """What no step touches, in words."""
    return (
        f"every other runner of {wanted.scope}",
        f"every unit of {wanted.host_name} but {wanted.systemd_unit_name}",
        f"every folder of {wanted.host_name} but {wanted.directory}",
    )


def _bounds(scene: Scene) -> dict[str, Json]:
    """What the plan keeps within, as it was when it was made."""
    return {
        "max_lanes": None if scene.grant is None else scene.grant.max_lanes,
        "runner_root": scene.desired.registration_root,
        "service_user": scene.desired.service_user,
    }


def _boundary(decision: Decision) -> Boundary:
    """Which calls, how often, as whom (H23): one lane of one host, and one runner at GitHub."""
    scene, action = decision.case.scene, decision.case.action
    ways = [WAYS[verb] for verb in decision.verbs]
    calls, users = [way.call for way in ways], {way.user for way in ways}
    names = {"root": "root", "service user": scene.desired.service_user, "GitHub": "Launchplane at GitHub"}
    return Boundary(
        host=scene.host.name,
        user=", ".join(name for user, name in names.items() if user in users),
        through=scene.host.through,
        calls=tuple([DeclaredCall(name=name, at_most=calls.count(name)) for name in dict.fromkeys(calls)]),
        before="GitHub's runners of the scope, the lane's directory, its unit, whether a job runs.",
        after=AFTER_REMOVAL if action == "remove" else AFTER,
        rollback=ROLLBACKS[action] if calls else "Nothing is done, so there is nothing to take back.",
    )


def _next_steps(decision: Decision) -> tuple[str, ...]:
    if decision.blockers:
        return tuple(dict.fromkeys(next_step(found) for found in decision.blockers))
    if not decision.verbs:
        return ()
    phrase = phrase_of(decision.case.action, decision.case.desired.lane_name)
    typing = "" if phrase is None else f" and types “{phrase}”"
    return (f"Ask for it with a reason; another person looks at it{typing}.", *_baseline_to_come(decision.case))


def _baseline_to_come(case: Case) -> tuple[str, ...]:
    """What must be ready before it can be completed, as far as it is known to be not (M35)."""
    baseline = case.observed.baseline
    missing = [] if baseline is None else [name for name, state in baseline.checks.items() if state is not True]
    if case.action == "remove" or not missing:
        return ()
    return (f"It is complete only with its baseline; not ready so far: {', '.join(missing)}.",)
