"""What a lane needs on its host, as its own user sees it. Only looks; what must be there is judged elsewhere."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import stat

from onhost import FOLDER, child, files
from onhost.config import HostConfig, Lane
from onhost.door import PATH
from onhost.refusals import Failed, Refusal, Refused

CONFIG = ".docker/config.json"
# what a Docker or podman client reads for every user of a machine
GLOBAL = (
    "/etc/docker/config.json",
    "/etc/containers/auth.json",
    "/run/containers/0/auth.json",
    "/usr/local/etc/docker/config.json",
)
HOLD_LOGINS = ("auths", "credsStore", "credHelpers")
PLAIN = re.compile(r"[A-Za-z0-9._/-]{1,300}")
LIMIT = 64 * 1024
MOST_USERS = 5000
MOST_TOLD = 20
SECONDS = 10
UNIT_PROGRAM = "launchplane-unit"
# on a line of its own, so that what the client says besides is nothing
VERSIONS = "launchplane client={{.Client.Version}} engine={{if .Server}}{{.Server.Version}}{{end}}"
TOLD_VERSIONS = re.compile(r"^launchplane client=(\S*) engine=(\S*)$", re.MULTILINE)
TOLD_BUILDX = re.compile(r"^github\.com/docker/buildx (\S+)", re.MULTILINE)
VERSION = re.compile(r"v?([0-9]{1,5}(?:\.[0-9]{1,5}){1,3})")


def see(lane: Lane, host: HostConfig) -> dict[str, object]:
    """User, home, Docker's logins, its versions and the disk. What could not be read is None, with `…_unmeasured`."""
    me = os.geteuid()
    found: dict[str, object] = {
        "user": {"uid": me, "groups": sorted(_group(number) for number in {os.getegid(), *os.getgroups()})},
        "home": {"path": lane.home, "problem": _home(lane)},
        "docker_config": {"path": f"{lane.home}/.docker", "problem": _docker_config(lane)},
        "readable_logins": _readable(_of_others(lane, host, me)),
        "global_logins": _readable(GLOBAL),
        "disk": _disk(lane),
    }
    return {**found, **_docker()}


def control_path() -> dict[str, object]:
    """Whether the program that restarts and removes lanes lies where it belongs, and is root's alone."""
    try:
        with files.folder(FOLDER) as at:
            program = files.require_file(at, UNIT_PROGRAM, owner=0)
    except Refusal as refusal:
        return {"problem": refusal.summary}
    if program is None or not program.st_mode & stat.S_IXUSR:
        return {"problem": f"{UNIT_PROGRAM} is not installed"}
    return {"problem": ""}


def _home(lane: Lane) -> str:
    try:
        with files.folder(lane.home, owner=os.geteuid()):
            return ""
    except Refusal as refusal:
        return refusal.summary


def _docker_config(lane: Lane) -> str:
    """Why the lane's own DOCKER_CONFIG is none that only it can use; empty if it is, or if there is none yet."""
    try:
        with files.folder(lane.home, owner=os.geteuid()) as home:
            folder = files.kind(home, ".docker")
            if folder is None:
                return ""
            if not stat.S_ISDIR(folder.st_mode) or folder.st_uid != os.geteuid() or folder.st_mode & files.OTHERS_WRITE:
                return ".docker is a link, somebody else's, or can be written by others"
            opened = os.open(".docker", files.FOLDER_FLAGS, dir_fd=home)
            try:
                logins = files.require_file(opened, "config.json", owner=os.geteuid())
            finally:
                os.close(opened)
    except Refusal as refusal:
        return refusal.summary
    except OSError as error:
        return f".docker could not be opened: {error.strerror}"
    if logins is not None and logins.st_mode & files.OTHERS_ANY and folder.st_mode & files.OTHERS_ANY:
        return "config.json can be read by others"
    return ""


def _of_others(lane: Lane, host: HostConfig, me: int) -> list[str]:
    """Where everybody else of this machine would keep logins. Raises Refused `too_many` where nobody can look."""
    accounts = pwd.getpwall()
    if len(accounts) > MOST_USERS:
        raise Refused("too_many", f"this host has more than {MOST_USERS} accounts")
    homes = {account.pw_dir for account in accounts if account.pw_uid != me}
    homes |= {other.home for other in host.lanes.values() if other.name != lane.name}
    homes -= {lane.home}
    return [f"{home.rstrip('/')}/{name}" for home in sorted(homes) for name in (CONFIG, ".dockercfg")]


def _readable(paths: list[str] | tuple[str, ...]) -> list[str]:
    """Those of `paths` that this user can read, and that hold a login: shown as far as they are plain paths."""
    found = [path for path in paths if os.access(path, os.R_OK) and _holds_logins(path)]
    return [path if PLAIN.fullmatch(path) else "a file with an odd name" for path in found[:MOST_TOLD]]


def _holds_logins(path: str) -> bool:
    """Whether a client's settings name a login, or a program that has them. What nobody can understand might."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return False
            data = file.read(LIMIT + 1)
    except OSError:
        return False
    if path.endswith(".dockercfg"):
        return bool(data.strip())
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return bool(data.strip())
    return not isinstance(told, dict) or any(told.get(name) for name in HOLD_LOGINS)


def _disk(lane: Lane) -> dict[str, object] | None:
    """The file system of the lane's folder, or of its root while there is none; as an ordinary user may fill it."""
    for path in (lane.directory, lane.root):
        try:
            told = os.statvfs(path)
        except OSError:
            continue
        return {"path": path, "free_bytes": told.f_bavail * told.f_frsize, "total_bytes": told.f_blocks * told.f_frsize}
    return None


def _docker() -> dict[str, object]:
    """The versions of client, engine and buildx, as far as this user gets at them; each None, with why, if not."""
    output = _said("docker", "version", "--format", VERSIONS)
    told = TOLD_VERSIONS.search(output)
    client, engine = (_version(told.group(number)) if told else None for number in (1, 2))
    plugin = TOLD_BUILDX.search(_said("docker", "buildx", "version")) if client else None
    return {"docker_client": client, "docker_engine": engine, "buildx": _version(plugin.group(1)) if plugin else None}


def _said(*command: str) -> str:
    """What a client says, without anything of the user's own: no context, no plugin, no login. Empty if it cannot."""
    nowhere = {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "DOCKER_CONFIG": "/nonexistent"}
    try:
        return child.run(list(command), cwd="/", env=nowhere, secret=b"", seconds=SECONDS).output
    except Failed:
        return ""


def _version(text: str) -> str | None:
    found = VERSION.match(text)
    return found.group(1) if found else None


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
