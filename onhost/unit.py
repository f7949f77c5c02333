"""launchplane-unit: one lane's systemd unit, as root by sudo. It writes one file, and gives systemd six kinds of order.

It takes a lane of host.json and nothing else: no unit, path, user or text of the caller's choosing gets through
(M51, M53–M55). In folders of a lane's user it opens nothing and writes nothing; it only looks at what is there.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable

from onhost import door, fence, files, lane_call, service, session, systemd
from onhost.config import Lane
from onhost.door import Program, Verb
from onhost.lane_call import Call
from onhost.refusals import Failed, Refusal, Refused

PROGRAM = "launchplane-unit"
STOPPED = ("inactive", "failed")


def main() -> int:
    """Do what standard input asks for; the exit status is in door.py."""
    return door.serve(Program(PROGRAM, lane_call.FIELDS, VERBS, lane_call.take, _as_root))


def _as_root(call: Call, act: Callable[[Call], None]) -> None:
    if os.geteuid() != 0:
        raise Refused("not_root", "run it as root, by sudo")
    door.require_at_end(call)
    with session.used(call.session or ""), fence.held(call.fencing_token or 0, dry_run=call.dry_run):
        try:
            act(call)
        finally:
            _tell_service(call)


def _tell_service(call: Call) -> None:
    """How the service is in the end, also after a failure: without it nobody knows what was reached (L8)."""
    try:
        call.facts["service"] = systemd.see(call.lane)
    except Refusal as refusal:
        call.facts.update(service=None, service_unmeasured=refusal.summary)


def install(call: Call) -> None:
    """Write the unit file, unless it is there already, to the byte."""
    lane = call.lane
    _require_runner(lane)
    wanted = service.render(lane)
    if _own_text(lane) == wanted:
        return

    def write() -> None:
        with files.folder(systemd.UNITS) as units:
            files.replace(units, lane.unit, wanted.encode())

    call.do(f"write {systemd.UNITS}/{lane.unit}", write)


def daemon_reload(call: Call) -> None:
    """Have systemd read its unit files again."""
    _order(call, "daemon-reload")


def enable_now(call: Call) -> None:
    """Start it now and at every boot. Both are read back."""
    seen = _loaded(call.lane)
    if not seen["enabled"]:
        _order(call, "enable", "--", call.lane.unit)
    if seen["active_state"] != "active":
        _start(call, "start")
    _require_after(call, "not_enabled", lambda now: now["enabled"] is True)
    _require_after(call, "not_active", lambda now: now["active_state"] == "active")


def restart(call: Call) -> None:
    """Stop it and start it. A job that runs is cancelled: whoever asks has made sure that none does."""
    _loaded(call.lane)
    _start(call, "restart")
    _require_after(call, "not_active", lambda now: now["active_state"] == "active")


def stop(call: Call) -> None:
    """Stop it, with every process in its cgroup."""
    _own_text(call.lane)
    if systemd.see(call.lane)["active_state"] not in STOPPED:
        _order(call, "stop", "--", call.lane.unit)
    _require_after(call, "not_stopped", lambda now: now["active_state"] in STOPPED and not now["process_users"])


def disable(call: Call) -> None:
    """Start it at no boot any more. It does not stop it."""
    _own_text(call.lane)
    if systemd.see(call.lane)["enabled"]:
        _order(call, "disable", "--", call.lane.unit)
    _require_after(call, "still_enabled", lambda now: now["enabled"] is False)


def remove(call: Call) -> None:
    """Take the unit file away, once it is stopped and disabled."""
    lane = call.lane
    if _own_text(lane) is None:
        return
    seen = systemd.see(lane)
    if seen["active_state"] not in STOPPED:
        raise Refused("still_active", f"{lane.unit} is {seen['active_state']}: stop it first")
    if seen["enabled"]:
        raise Refused("still_enabled", f"{lane.unit} is enabled: disable it first")

    def take_away() -> None:
        with files.folder(systemd.UNITS) as units:
            files.remove(units, lane.unit)

    call.do(f"remove {systemd.UNITS}/{lane.unit}", take_away)


VERBS = {
    "install-or-update-unit": Verb(install),
    "daemon-reload": Verb(daemon_reload),
    "enable-now": Verb(enable_now),
    "restart": Verb(restart),
    "stop": Verb(stop),
    "disable": Verb(disable),
    "remove-unit": Verb(remove),
}


def _order(call: Call, *arguments: str) -> None:
    call.do(" ".join(("systemctl", *arguments)), lambda: systemd.order(*arguments))


def _start(call: Call, how: str) -> None:
    """`how` is start or restart. What was counted against the unit before somebody decided this does not count."""
    unit = call.lane.unit
    call.do(f"systemctl {how} -- {unit}", lambda: systemd.order(how, "--", unit, forgive=True))


def _own_text(lane: Lane) -> str | None:
    """The unit file, which has to be one that we wrote. Raises Refused `not_ours`."""
    found = systemd.text(lane)
    if found is not None and not found.startswith(f"{service.MARK} "):
        raise Refused("not_ours", f"{systemd.UNITS}/{lane.unit} was written by somebody else")
    return found


def _require_runner(lane: Lane) -> None:
    """That the lane's user exists and owns an ordinary run.sh in the lane's own folder, and a home."""
    try:
        user = pwd.getpwnam(lane.user)
    except KeyError as error:
        raise Refused("user_missing", f"this host has no user {lane.user}") from error
    if user.pw_uid == 0 or user.pw_gid == 0:
        raise Refused("user_unsafe", f"{lane.user} is root, or in root's group")
    with files.folder(lane.home, owner=user.pw_uid):
        pass
    with files.folder(lane.directory, owner=user.pw_uid) as directory:
        if files.require_file(directory, "run.sh", owner=user.pw_uid) is None:
            raise Refused("runner_missing", f"{lane.directory} has no run.sh: fetch and configure the runner first")


def _loaded(lane: Lane) -> dict[str, object]:
    """The service as it is: its file as it would be written now, loaded, and nothing added that changes what runs."""
    _require_runner(lane)
    if systemd.text(lane) != service.render(lane):
        raise Refused("unit_differs", f"{lane.unit} is missing or out of date: install it first")
    seen = systemd.see(lane)
    if seen["reload_needed"] or not seen["exec_start"]:
        raise Refused("reload_needed", "systemd has not read the unit file yet: daemon-reload first")
    told = (seen["user"], seen["working_directory"], seen["exec_start"])
    if told != (lane.user, lane.directory, f"{lane.directory}/run.sh"):
        raise Refused("unit_changed", f"something was added to {lane.unit} that changes what it runs, or as whom")
    return seen


def _require_after(call: Call, code: str, holds: Callable[[dict[str, object]], bool]) -> None:
    if call.dry_run:
        return
    seen = systemd.see(call.lane)
    if not holds(seen):
        raise Failed(code, f"afterwards {call.lane.unit} is {seen['active_state']}, enabled: {seen['enabled']}")
