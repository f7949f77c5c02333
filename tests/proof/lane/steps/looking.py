"""What is proven before anything is changed: there is no runner, and a dry-run changes nothing anywhere."""

import json
from typing import Any

from tests.proof.lane.place import LANE, SCOPE, Place, different
from tests.proof.lane.record import Evidence, require


def zero_runners(place: Place) -> Evidence:
    """M6, M81: the repository has no runner, and the host no unit and no folder of the lane's."""
    require(place.runners() == [], f"{SCOPE} has runners already: {place.runners()}")
    units = place.host.run(["systemctl", "list-unit-files", "launchplane-runner*", "--no-legend", "--plain"]).stdout
    require(units.strip() == "", f"the host has units already: {units}")
    return {"runners": place.runners(), "units": units.split()}


def dry_run(place: Place) -> Evidence:
    """M4, M22, M80, M82: the plan is archived; no token was asked for, nothing ran, and there is still no runner."""
    before, asked, cursor = place.contents(), len(place.calls("POST", "PUT", "DELETE")), place.cursor()
    planned = place.shell.json("lanes", "plan", LANE)
    _is_a_plan(planned, "lane.create")
    changed = different(before, place.contents())
    require(not changed, f"a dry-run changed {changed}")
    written = place.calls("POST", "PUT", "DELETE")[asked:]
    require(not written, f"a dry-run asked GitHub for {written}")
    require(not place.github.one_time_of(SCOPE), "a dry-run asked for a token")
    require(place.runners() == [], f"after a dry-run {SCOPE} has runners: {place.runners()}")
    run = place.asked_of_sudo(cursor)
    require(run and not [command for command in run if "launchplane-unit" in command], f"a dry-run ran {run}")
    place.asked = planned
    kept = place.keep("create-plan.json", json.dumps(planned, indent=2))
    told = {"change": planned["id"], "digest": planned["digest"], "archived": kept}
    return {**told, "runners": place.runners(), "asked_of_github": place.calls("GET"), "run_by_sudo": run}


def dry_runs_of_a_living_lane(place: Place) -> Evidence:
    """M91: a restart and a removal can be planned, and planning them touches nothing."""
    before, registered = place.contents(), place.runners()
    session = place.show(f"launchplane-runner@{LANE}.service", "InvocationID")
    plans = {}
    for operation in ("restart", "remove"):
        plans[operation] = planned = place.shell.json("lanes", "plan", LANE, operation)
        _is_a_plan(planned, f"lane.{operation}")
    changed = different(before, place.contents())
    require(not changed, f"the dry-runs changed {changed}")
    require(place.runners() == registered, f"the dry-runs changed {registered} to {place.runners()}")
    now = place.show(f"launchplane-runner@{LANE}.service", "InvocationID")
    require(now == session, "the lane was restarted by a dry-run")
    place.keep("restart-plan.json", json.dumps(plans["restart"], indent=2))
    place.keep("remove-plan.json", json.dumps(plans["remove"], indent=2))
    return {name: {"change": plan["id"], "steps": verbs(plan)} for name, plan in plans.items()}


def verbs(plan: dict[str, Any]) -> list[str]:
    """What a plan does, in order."""
    return [step["verb"] for step in plan["steps"]]


def _is_a_plan(planned: dict[str, Any], kind: str) -> None:
    told = (planned["kind"], planned["status"], planned["plan_status"])
    require(told == (kind, "planned", "ready"), f"it is {told}, because of {planned['blockers']}")
    require(planned["steps"], "a plan without a step")
