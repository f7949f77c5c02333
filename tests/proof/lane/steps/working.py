"""The lane works, is restarted, and goes again; somebody else's runner beside it notices nothing."""

from lanes.readiness import PROOFS
from tests.proof.lane.place import LANE, SCOPE, THEIRS, UNIT, USER, Place, different
from tests.proof.lane.record import Evidence, require
from tests.proof.lane.steps.asking import approve, ask, ended_well, phrase_of
from tests.proof.lane.steps.installing import started
from tests.proof.lane.steps.tokens import require_nowhere, watch

UNREGISTER = "/_runner/[0-9]+/remove"
NO_OP = 'echo "no-op on $RUNNER_NAME as $(id -un)"; cat "/proc/$PPID/comm"'


def job_runs(place: Place) -> Evidence:
    """M90: a job that wants the lane's own label runs there, as its user."""
    number = place.github.queue(SCOPE, "cm-website", run=NO_OP)
    place.github.until(lambda: number in place.github.finished, seconds=120)
    found = place.github.finished[number]
    require(found.result == "Succeeded" and found.runner == LANE, f"the job ended as {found}")
    require(found.log == f"no-op on {LANE} as {USER}\nRunner.Worker\n", f"the job said {found.log!r}")
    return {"job": number, "result": found.result, "log": found.log.splitlines()}


def ready(place: Place) -> Evidence:
    """M94: what product repositories read is open, on exactly the five proofs; a look was made just before."""
    place.shell.json("lanes", "observe", LANE, ends=(0, 3))
    told = place.approver.json(f"/v1/lanes/{LANE}/readiness")
    seen = {proof["name"]: proof["state"] for proof in told["proofs"]}
    require(told["is_open"] and seen == dict.fromkeys(PROOFS, "open"), f"readiness is {told}")
    return {"readiness": told}


def rebooted(place: Place) -> Evidence:
    """M46: the host reboots, and the lane is at work again by itself, as another process."""
    before = place.github.of(SCOPE)[0].session
    invocation = place.show(UNIT, "InvocationID")
    place.host.reboot()
    place.github.until(lambda: place.github.of(SCOPE)[0].online and place.github.of(SCOPE)[0].session != before)
    require(place.show(UNIT, "ActiveState") == "active", f"its unit is {place.show(UNIT, 'ActiveState')}")
    place.shell.json("lanes", "observe", LANE)
    # nobody but the machine itself ended somebody else's runner
    place.their_start = started(place)
    starts = {"invocation_before": invocation, "invocation_after": place.show(UNIT, "InvocationID")}
    return {**starts, "runner": place.runners()[0]}


def restarted(place: Place) -> Evidence:
    """L5 without a drain, M71: by a worker, right after the approval; another process, and online again."""
    before = place.show(UNIT, "MainPID"), place.github.of(SCOPE)[0].session
    planned = place.shell.json("lanes", "plan", LANE, "restart")
    ask(place, planned, later=False)
    who = approve(place, planned, phrase="")
    done = ended_well(planned, place)
    after = place.show(UNIT, "MainPID"), place.github.of(SCOPE)[0].session
    require(before[0] != after[0] and before[1] != after[1], f"processes and sessions {before} became {after}")
    require(place.show(UNIT, "ActiveState") == "active", "it is not active afterwards")
    require(place.runners()[0]["status"] == "online", f"GitHub lists {place.runners()}")
    pids = {"main_pid_before": before[0], "main_pid_after": after[0]}
    return {"change": done["id"], **who, **pids}


def removed(place: Place) -> Evidence:
    """M61, M71, L6: unit gone, registration gone, directory unconfigured; its token is nowhere, either."""
    planned = place.shell.json("lanes", "plan", LANE, "remove")
    watch(place, UNREGISTER)
    ask(place, planned, later=False)
    who = approve(place, planned, phrase=phrase_of("remove"))
    done = ended_well(planned, place)
    require(place.runners() == [], f"GitHub still lists {place.runners()}")
    require(place.show(UNIT, "LoadState") == "not-found", f"the unit is {place.show(UNIT, 'LoadState')}")
    left = place.host.must(["ls", "-A", place.lane_folder]).split()
    require(not {".runner", ".credentials", ".credentials_rsaparams"} & set(left), f"its folder still has {left}")
    processes = place.host.run(["pgrep", "--uid", USER]).stdout.split()
    require(not processes, f"processes {processes} of {USER} are left")
    require_nowhere(place, UNREGISTER)
    asked = [call for call in place.calls("POST") if call.endswith("-token")]
    require(len(asked) == 2, f"tokens were asked for by {asked}: one to register and one to remove were due")
    return {"change": done["id"], **who, "left_in_its_folder": left, "tokens_asked_for": asked}


def nothing_else_touched(place: Place) -> Evidence:
    """Of the whole host only the lane's own folder and home, and our programs' own state, are not as they were."""
    own = (place.lane_folder, f"/srv/runners/homes/{USER}", "/var/lib/launchplane/")
    # somebody else's listener writes its own log when the machine boots
    theirs = f"{THEIRS.directory}/_diag"
    changed = different(place.installed, place.contents())
    others = [path for path in changed if not path.startswith((*own, theirs))]
    require(not others, f"also changed were {others}")
    return {"watched": len(place.installed), "changed": [path for path in changed if "/bin/" not in path]}


def theirs_survived(place: Place) -> Evidence:
    """L13: somebody else's runner, in the same root, has the same registration, process and files, and works."""
    (registered,) = place.github.of(THEIRS.scope)
    require(registered.online, "it is offline")
    number = place.github.queue(THEIRS.scope, "theirs", run="echo still here")
    place.github.until(lambda: number in place.github.finished)
    starts = started(place)
    require(starts == place.their_start, f"it was started again: {place.their_start} became {starts}")
    touched = [c for c in place.calls("PUT", "DELETE", "POST") if THEIRS.scope in c]
    require(not touched, f"the control plane asked GitHub for {touched}")
    return {"runner": registered.document(), "job": place.github.finished[number].log, "invocation": starts[1]}
