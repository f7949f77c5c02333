"""The runner's registration on this host: read from `.runner`, made and taken back by the runner's own config.sh."""

from __future__ import annotations

import json
import os

from onhost import child, door, files, names, systemd
from onhost.config import Lane
from onhost.lane_call import Call
from onhost.refusals import BadRequest, Failed, Refused

SETTINGS = ".runner"
CREDENTIALS = ".credentials"
SETTINGS_LIMIT = 64 * 1024
LONGEST_TOLD = 300
SECONDS = 180
MOST_LABELS = 20
TOKEN_LIMIT = 1024
CONFIGURE_FIELDS = frozenset({"scope", "labels", "update"})
UNCONFIGURE_FIELDS = frozenset({"agent_id", "local"})


def read(at: int) -> dict[str, object]:
    """What `.runner` in the folder `at` says. It is written by the runner, in UTF-8 with a byte order mark.

    `configured` is as config.sh has it: there is a `.runner`. One that cannot be understood has no `agent_id`.
    Raises Refused `odd_file`.
    """
    data = files.read(at, SETTINGS, owner=os.geteuid(), limit=SETTINGS_LIMIT)
    files.require_file(at, CREDENTIALS, owner=os.geteuid())
    told: object = None
    try:
        told = json.loads((data or b"").decode("utf-8-sig")) if data else None
    except (ValueError, RecursionError):
        told = None
    fields = told if isinstance(told, dict) else {}
    agent_id = fields.get("AgentId", fields.get("agentId"))
    return {
        "configured": data is not None,
        "agent_id": agent_id if isinstance(agent_id, int) and not isinstance(agent_id, bool) else None,
        "agent_name": _told(fields, "AgentName"),
        "github_url": _told(fields, "GitHubUrl"),
    }


def configure(call: Call) -> None:
    """Register the runner for its scope, with the token that follows the request. Never over another one's name."""
    arguments = [*_configure_arguments(call), "--unattended"]
    with files.folder(call.lane.directory, owner=os.geteuid()) as at:
        _require_config_sh(at)
        if read(at)["configured"]:
            raise Refused("configured", "a runner is configured here: unconfigure it first")
    call.facts["registration"] = None
    call.do(f"config.sh {' '.join(arguments)}", lambda: _config_sh(call, arguments))
    if call.dry_run:
        door.require_at_end(call)
        return
    after = call.facts["registration"]
    expected = {"configured": True, "agent_name": call.lane.name, "github_url": _url(call)}
    if not isinstance(after, dict) or expected.items() - after.items() or after["agent_id"] is None:
        raise Failed("not_configured", "config.sh ended well, and .runner does not say what it should")


def unconfigure(call: Call) -> None:
    """Take the registration back, with the token that follows; `local` forgets one that GitHub no longer has.

    Only the one with `agent_id`, and only while its service does not run.
    """
    agent_id, local = call.more["agent_id"], call.more["local"]
    if not isinstance(agent_id, int) or isinstance(agent_id, bool) or not isinstance(local, bool):
        raise BadRequest("fields", "agent_id has to be a whole number, local true or false")
    with files.folder(call.lane.directory, owner=os.geteuid()) as at:
        found = read(at)
        if not found["configured"]:
            return
        _require_config_sh(at)
    if found["agent_id"] != agent_id:
        raise Refused("other_runner", f"the runner here has the id {found['agent_id']}")
    require_stopped(call)
    arguments = ["remove", "--local"] if local else ["remove"]
    call.do(f"config.sh {' '.join(arguments)}", lambda: _config_sh(call, arguments, token=not local))
    if call.dry_run:
        door.require_at_end(call)
        return
    after = call.facts["registration"]
    if not isinstance(after, dict) or after["configured"]:
        raise Failed("still_configured", "config.sh ended well, and .runner is still there")


def require_stopped(call: Call) -> None:
    """That nothing runs what is about to be changed. Raises Refused `still_active`."""
    if systemd.see(call.lane)["active_state"] not in ("inactive", "failed"):
        raise Refused("still_active", f"{call.lane.unit} runs: stop it first")


def _configure_arguments(call: Call) -> list[str]:
    labels, update = call.more["labels"], call.more["update"]
    if call.more["scope"] != call.lane.scope:
        raise Refused("wrong_scope", f"this lane is for {call.lane.scope}")
    if not isinstance(labels, list) or not 0 < len(labels) <= MOST_LABELS or not all(map(names.is_label, labels)):
        raise BadRequest("fields", f"labels have to be 1 to {MOST_LABELS} plain words")
    if not isinstance(update, bool):
        raise BadRequest("fields", "update has to be true or false")
    fixed = [] if update else ["--disableupdate"]
    return ["--url", _url(call), "--name", call.lane.name, "--labels", ",".join(labels), "--work", "_work", *fixed]


def _url(call: Call) -> str:
    return f"{call.github}/{call.lane.scope}"


def _config_sh(call: Call, arguments: list[str], *, token: bool = True) -> None:
    """config.sh in the lane's folder; what `.runner` says afterwards is told whatever became of it (L8)."""
    secret = _token(call) if token else b""
    if not token:
        door.require_at_end(call)
    place = call.lane.directory
    ended = child.run(
        [f"{place}/config.sh", *arguments],
        cwd=place,
        env=_environment(call.lane, secret),
        secret=secret,
        seconds=SECONDS,
    )
    call.facts["output"] = ended.output
    with files.folder(place, owner=os.geteuid()) as at:
        call.facts["registration"] = read(at)
    if ended.returncode is None:
        raise Failed("timed_out", f"config.sh took longer than {SECONDS} seconds and was killed")
    if ended.returncode != 0:
        raise Failed("config_failed", f"config.sh ended with {ended.returncode}")


def _environment(lane: Lane, secret: bytes) -> dict[str, str]:
    own = {"HOME": lane.home, "DOCKER_CONFIG": f"{lane.home}/.docker", "PATH": door.PATH, "LC_ALL": "C.UTF-8"}
    return {**own, "ACTIONS_RUNNER_INPUT_TOKEN": secret.decode("ascii")} if secret else own


def _token(call: Call) -> bytes:
    secret = call.stdin.read(TOKEN_LIMIT + 2).rstrip(b"\n")
    if not names.TOKEN.fullmatch(secret):
        raise BadRequest("no_token", "a token has to follow the request, in one line")
    return secret


def _require_config_sh(at: int) -> None:
    if files.require_file(at, "config.sh", owner=os.geteuid()) is None:
        raise Refused("package_missing", "there is no runner here: fetch its package first")


def _told(fields: dict[str, object], name: str) -> str:
    value = fields.get(name, fields.get(name[0].lower() + name[1:]))
    return value[:LONGEST_TOLD] if isinstance(value, str) else ""
