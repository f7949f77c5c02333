"""The lane comes to life: asked for, approved, applied with phrase and key, and every proof of it seen by itself."""

import json
from typing import Any

from tests.proof.lane.place import LABELS, LANE, SCOPE, UNIT, USER, Place
from tests.proof.lane.record import Evidence, require
from tests.proof.lane.steps.asking import approve, ask, ended_well, phrase_of
from tests.proof.lane.steps.tokens import require_nowhere, watch

KEY = "live-proof-create"
REGISTER = "/_runner/register"


def approved(place: Place) -> Evidence:
    """Two people: the one who asks is not the one who approves, and the phrase is typed."""
    ask(place, place.asked, later=True)
    return approve(place, place.asked, phrase=phrase_of("create"))


def refused_without_phrase_or_key(place: Place) -> Evidence:
    """M34: neither the wrong phrase nor no key starts anything."""
    change, asked = place.asked["id"], len(place.calls("POST"))
    ends = {
        "without a key": place.shell.run("changes", "apply", change, "--confirm", phrase_of("create")).returncode,
        "with another phrase": place.shell.run(
            "changes", "apply", change, "--idempotency-key", "another", "--confirm", "create it"
        ).returncode,
    }
    require(all(end in (2, 4) for end in ends.values()), f"they ended with {ends}")
    require(len(place.calls("POST")) == asked, "GitHub was asked for something all the same")
    require(place.runners() == [], "a runner was registered all the same")
    return ends


def applied(place: Place) -> Evidence:
    """M83: applied with phrase and key; while config.sh registers, the token is looked for everywhere."""
    watch(place, REGISTER)
    words = ["--idempotency-key", KEY, "--confirm", phrase_of("create")]
    done = place.shell.json("changes", "apply", place.asked["id"], *words, ends=(0, 3, 4))
    place.keep("create-applied.json", json.dumps(done, indent=2))
    place.created = ended_well(place.asked, place)
    again = place.shell.json("changes", "apply", place.asked["id"], *words)
    require(again["status"] == "completed", f"the same key again gives {again['status']}")
    require(len(place.runners()) == 1, f"there are {len(place.runners())} runners")
    outcomes = {f"{step['position']} {step['verb']}": step["outcome"] for step in place.created["steps"]}
    return {"change": place.created["id"], "steps": outcomes, "gates": _gates(place.created)}


def token_is_nowhere(place: Place) -> Evidence:
    """M45, M57, M69: `ps`, the journal, the database, the queue, logs and audit segments, during and afterwards."""
    require_nowhere(place, REGISTER)
    tokens = place.github.one_time_of(SCOPE)
    require(len(tokens) == 1, f"{len(tokens)} tokens were asked for, not one")
    asked = [call for call in place.calls("POST") if call.endswith("/registration-token")]
    require(len(asked) == 1, f"tokens were asked for by {asked}")
    replaced = [call.path for call in place.github.calls if call.path == "/_runner/replace"]
    require(not replaced, "config.sh was told to replace")
    return {"searched": "the host and the control plane, during and after", "tokens_asked_for": asked}


def unit_active(place: Place) -> Evidence:
    """M84, M46, M48–M50: enabled and active, from the exact folder."""
    names = ("ActiveState", "UnitFileState", "WorkingDirectory", "Restart", "FragmentPath")
    seen = {name: place.show(UNIT, name) for name in names}
    wanted = {"ActiveState": "active", "UnitFileState": "enabled", "WorkingDirectory": place.lane_folder}
    require(wanted.items() <= seen.items(), f"systemd tells {seen}")
    require(seen["FragmentPath"] == f"/etc/systemd/system/{UNIT}", f"systemd loaded {seen['FragmentPath']}")
    started = place.show(UNIT, "ExecStart")
    require(f"path={place.lane_folder}/run.sh ;" in started, f"it starts {started}")
    return seen


def process_user(place: Place) -> Evidence:
    """M85, M47: every process of the unit belongs to the lane's user."""
    group = place.show(UNIT, "ControlGroup")
    listed = place.host.must(["systemd-cgls", "--no-pager", "--full", "--unit", UNIT])
    users = place.host.must(["sh", "-c", f"ps -o user:32= -p $(systemctl show --value -p MainPID {UNIT})"]).split()
    require(users == [USER], f"its main process belongs to {users}")
    owned = place.host.must(["ps", "-u", USER, "-o", "pid=,user:32=,args="]).strip().splitlines()
    require(any("Runner.Listener" in line for line in owned), f"{USER} runs {owned}")
    return {"control_group": group, "processes": owned, "tree": listed.splitlines()}


def online(place: Place) -> Evidence:
    """M86: GitHub lists it online, once, and its id is the one in `.runner` and in our record."""
    (runner,) = place.runners()
    require(runner["status"] == "online" and runner["name"] == LANE, f"GitHub lists {runner}")
    told = json.loads(place.host.must(["cat", f"{place.lane_folder}/.runner"]).removeprefix("\ufeff"))
    ours = place.shell.json("lanes", "observe", LANE, ends=(0, 3))["desired"]["agent_id"]
    require(told["agentId"] == runner["id"] == ours, f".runner {told['agentId']}, GitHub {runner['id']}, ours {ours}")
    return {"github": runner, "dot_runner": told, "record": ours}


def labelled(place: Place) -> Evidence:
    """M87: all of the lane's labels, and none that nobody wanted."""
    (runner,) = place.github.of(SCOPE)
    names = [str(label["name"]) for label in runner.label_documents()]
    require(set(LABELS) <= set(names), f"GitHub lists {names}")
    require(set(names) - set(LABELS) <= {"Linux", "X64"}, f"GitHub lists {names}")
    return {"wanted": LABELS, "at_github": names}


def baseline(place: Place) -> Evidence:
    """M88: read after the service was active, all of it as it must be, credential isolation and Buildx among it."""
    proofs = {proof["name"]: proof for proof in place.created["after"]["facts"]["proofs"]}
    found = proofs["baseline_ready"]
    require(found["state"] == "open", f"the baseline is {found}")
    require(len(found["evidence"]) > 1, f"the baseline has only {found['evidence']}")
    seen = place.created["after"]["facts"]["observed"]
    require(seen["service"]["active_state"] == "active", "the baseline was read before the service was active")
    checks = found["evidence"]
    wanted = ("docker_isolation", "docker_client", "docker_engine", "buildx")
    require(all(checks.get(check) is True for check in wanted), f"of {wanted} not all hold: {checks}")
    return {"proofs": list(proofs.values())}


def audited_last(place: Place) -> Evidence:
    """M60, M89: `planned` comes before the first effect, `completed` after the last proof."""
    found = place.shell.json("audits", "list", "--key", place.created["id"])
    told = [(record["seq"], record["kind"], record["status"], record["at"]) for record in reversed(found)]
    of_its_kind = [status for _, kind, status, _ in told if kind == "lane.create"]
    require(of_its_kind == ["planned", "planned", "completed"], f"the records of the change are {told}")
    require(told[-1][1:3] == ("lane.create", "completed"), f"the last record of the change is {told[-1]}")
    return {"records": told}


def _gates(change: dict[str, Any]) -> dict[str, str]:
    return {gate["name"]: gate["state"] for gate in change["gates"]}
