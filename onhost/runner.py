"""launchplane-runner: one lane's runner, as the lane's own user and never as root.

A token comes on standard input after the request, goes to config.sh in its environment, and is told to nobody else
(M69). It starts no listener: that is systemd's to do (M2).
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from onhost import baseline, door, fence, files, journal, lane_call, names, package, registration, systemd
from onhost.door import Program, Verb
from onhost.lane_call import Call
from onhost.refusals import BadRequest, Refusal, Refused

PROGRAM = "launchplane-runner"
LOCK = ".launchplane-lock"
PACKAGE_FIELDS = frozenset({"size_bytes", "sha256"})


def main() -> int:
    """Do what standard input asks for; the exit status is in door.py."""
    return door.serve(Program(PROGRAM, lane_call.FIELDS, VERBS, lane_call.take, _as_the_lane))


def _as_the_lane(call: Call, act: Callable[[Call], None]) -> None:
    if 0 in os.getresuid():
        raise Refused("is_root", "never run this as root: sudo -u the lane's user")
    if _name() != call.lane.user:
        raise Refused("other_user", f"run it as {call.lane.user}")
    if call.fencing_token is None:
        act(call)
        return
    fence.require_newest(call.fencing_token)
    with files.folder(call.lane.directory, owner=os.geteuid()) as at, _alone(at, dry_run=call.dry_run):
        act(call)


def _alone(at: int, *, dry_run: bool) -> AbstractContextManager[None]:
    return nullcontext() if dry_run else files.locked(at, LOCK, owner=os.geteuid(), create=True)


def observe(call: Call) -> None:
    """Say what is there: the folder, who the runner is registered as, the package, the service. Changes nothing.

    `machine` is what kind of machine this is, as the kernel calls it: there is a runner for each.
    """
    door.require_at_end(call)
    call.facts["machine"] = os.uname().machine
    call.facts["directory"] = directory(call)
    call.facts["control_path"] = baseline.control_path()
    _see(call, "service", lambda: systemd.see(call.lane))
    _see(call, "baseline", lambda: baseline.see(call.lane, call.host))
    _see(call, "journal", lambda: journal.see(call.lane))


def _see(call: Call, part: str, look: Callable[[], dict[str, object]]) -> None:
    """Tell one part, or why it could not be read: that stands in the way of no other part."""
    try:
        call.facts[part] = look()
    except Refusal as refusal:
        call.facts.update({part: None, f"{part}_unmeasured": refusal.summary})
    except OSError as error:
        call.facts.update({part: None, f"{part}_unmeasured": str(error.strerror)})


def directory(call: Call) -> dict[str, object]:
    """The lane's folder: `problem` says why it is not safe, and then nothing in it was read."""
    told: dict[str, object] = {"path": call.lane.directory, "exists": True, "problem": ""}
    try:
        with files.folder(call.lane.directory, owner=os.geteuid()) as at:
            return {**told, **registration.read(at), "package_sha256": _package(at)}
    except Refusal as refusal:
        missing = refusal.code == "path_missing" and refusal.summary.startswith(call.lane.directory + " ")
        unread = dict.fromkeys(("agent_id", "agent_name", "github_url", "package_sha256"))
        problem = "" if missing else refusal.summary
        return {**told, **unread, "exists": not missing, "problem": problem, "configured": False if missing else None}


def fetch(call: Call) -> None:
    """Unpack the runner's package that follows the request; `size_bytes` and `sha256` say which.

    Over one that is registered only while it is stopped: it stays registered, with another version.
    """
    size_bytes, sha256 = call.more["size_bytes"], call.more["sha256"]
    if not isinstance(size_bytes, int) or isinstance(size_bytes, bool) or not 0 < size_bytes <= package.MOST_BYTES:
        raise BadRequest("fields", f"size_bytes has to be a whole number up to {package.MOST_BYTES}")
    if not (isinstance(sha256, str) and names.SHA256.fullmatch(sha256)):
        raise BadRequest("fields", "sha256 has to be 64 small hexadecimal digits")
    if call.host.packages is not None and sha256 not in call.host.packages:
        raise Refused("package_not_allowed", f"host.json does not name the package {sha256} among those allowed")
    with files.folder(call.lane.directory, owner=os.geteuid()) as at:
        if _package(at) == sha256:
            return
        if registration.read(at)["configured"]:
            registration.require_stopped(call)
    place = Path(call.lane.directory)
    if call.dry_run:
        door.require_at_end(call)

    def take() -> None:
        archive = package.receive(call.stdin, place, size_bytes=size_bytes, sha256=sha256)
        package.unpack(archive, place, sha256=sha256)

    call.do(f"unpack {sha256} into {place}", take)


def _package(at: int) -> str | None:
    """The hash of the package that lies here whole; None when there is none, or only a part."""
    data = files.read(at, package.MARK, owner=os.geteuid(), limit=100)
    found = data.decode("ascii", "replace").strip() if data is not None else ""
    return found if names.SHA256.fullmatch(found) else None


def _name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""


VERBS = {
    "observe": Verb(observe, changes=False),
    "fetch": Verb(fetch, PACKAGE_FIELDS),
    "configure": Verb(registration.configure, registration.CONFIGURE_FIELDS),
    "unconfigure": Verb(registration.unconfigure, registration.UNCONFIGURE_FIELDS),
}
