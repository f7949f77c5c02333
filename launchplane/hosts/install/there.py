"""What runs on a host, as root and once, to install our programs: this text goes to its Python's standard input.

It gets a list of items and brings them about in their order, or only says what is there already. Each is left as it
is when it is right. It stops at the first that it must not touch. Python 3.9 and its own library, nothing of ours.
"""

from __future__ import annotations

import base64
import grp
import hashlib
import json
import os
import pwd
import stat
import subprocess
import sys
from typing import Any

Item = dict[str, Any]

OLDEST = (3, 9)
THERE, MISSING, DIFFERS, MADE, CHANGED = "there", "missing", "differs", "made", "changed"


class Refuse(Exception):
    """Something is in the way that a person has to look at. Nothing was done about it."""


def main(told: Item) -> None:
    """Do or look at every item of `told["items"]`; print one JSON object: what each was, and what it is now."""
    os.umask(0o077)
    items: list[dict[str, str]] = []
    refused = ""
    try:
        _require_tools()
        for item in told["items"]:
            state = KINDS[item["kind"]](item, told["apply"])
            items.append({"what": item["what"], "state": state})
        if told["apply"]:
            _check_all_of_sudo()
    except (Refuse, OSError, subprocess.SubprocessError) as error:
        refused = str(error) or type(error).__name__
    print(json.dumps({"items": items, "refused": refused}))


def user(item: Item, apply: bool) -> str:
    """An account without a password, in no group that could make it root."""
    name = item["name"]
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        if not apply:
            return MISSING
        how = ["--system", "--user-group", "--no-create-home", "--password", "*"]
        _run("useradd", *how, "--shell", item["shell"], "--home-dir", item["home"], "--", name)
        return MADE
    if found.pw_uid == 0 or found.pw_gid == 0:
        raise Refuse(f"{name} is root, or in root's group")
    _require_no_password(name)
    if item["exactly"] and (found.pw_dir, found.pw_shell) != (item["home"], item["shell"]):
        raise Refuse(f"there is a user {name} already, with the home {found.pw_dir} and the shell {found.pw_shell}")
    everyone = grp.getgrall()
    groups = {group.gr_name for group in everyone if name in group.gr_mem or group.gr_gid == found.pw_gid}
    groups &= set(item["never_in"])
    if groups:
        raise Refuse(f"{name} is in {', '.join(sorted(groups))}: take it out")
    return THERE


def _require_no_password(name: str) -> None:
    """A hash never begins with these: shadow(5)."""
    with open("/etc/shadow", encoding="utf-8", errors="replace") as shadow:
        kept = [line.split(":")[1] for line in shadow if line.startswith(f"{name}:")]
    if not kept or not kept[0].startswith(("!", "*")):
        raise Refuse(f"{name} may have a password: lock it with passwd --lock {name}")


def folder(item: Item, apply: bool) -> str:
    """A folder of its owner and mode, below folders that are root's alone."""
    path = item["path"]
    found = _seen(path) if _parents(path, apply) else None
    if found is None:
        if not apply:
            return MISSING
        os.mkdir(path, 0o700)
        _own(path, item)
        return MADE
    if not stat.S_ISDIR(found.st_mode):
        raise Refuse(f"{path} is there, and is no folder")
    return _settle(path, found, item, apply)


def file(item: Item, apply: bool) -> str:
    """A file with exactly this content."""
    path, content = item["path"], base64.b64decode(item["content"])
    found = _plain(path)
    if found is not None and _digest(path) == item["sha256"]:
        return _settle(path, found, item, apply)
    if not apply:
        return MISSING if found is None else DIFFERS
    _parents(path, apply=True)
    beside = f"{path}.launchplane-new"
    if _seen(beside) is not None:
        os.unlink(beside)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    try:
        _own(beside, item)
        if item.get("check"):
            _run(*(beside if word == "{}" else word for word in item["check"]))
        os.rename(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
    return MADE if found is None else CHANGED


def present(item: Item, apply: bool) -> str:
    """A file of its owner and mode; what is in it is not ours to say."""
    path = item["path"]
    found = _plain(path)
    if found is not None:
        return _settle(path, found, item, apply)
    if not apply:
        return MISSING
    _parents(path, apply=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    _own(path, item)
    return MADE


def only(item: Item, apply: bool) -> str:
    """Nothing in a folder of ours but what is named: what an older version left is taken away."""
    stray: list[str] = []
    for at, folders, names in os.walk(item["path"]):
        stray += [os.path.join(at, name) for name in names if os.path.join(at, name) not in item["files"]]
        gone = [name for name in folders if os.path.join(at, name) not in item["folders"]]
        folders[:] = [name for name in folders if name not in gone]
        stray += [os.path.join(at, name) for name in gone]
    if stray and apply:
        for path in stray:
            _take_away(path)
        return CHANGED
    return DIFFERS if stray else THERE


KINDS = {"user": user, "folder": folder, "file": file, "present": present, "only": only}


def _require_tools() -> None:
    if sys.version_info[:2] < OLDEST:
        raise Refuse("Python 3.9 or newer is needed")
    if os.geteuid() != 0:
        raise Refuse("this has to be run as root")
    for tool in ("/usr/sbin/visudo", "/usr/bin/sudo"):
        if not os.access(tool, os.X_OK):
            raise Refuse(f"{tool} is missing: install sudo")


def _check_all_of_sudo() -> None:
    _run("/usr/sbin/visudo", "-c", "-q")


def _settle(path: str, found: os.stat_result, item: Item, apply: bool) -> str:
    uid, gid = _ids(item)
    if (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (uid, gid, item["mode"]):
        return THERE
    if found.st_uid not in (0, uid):
        raise Refuse(f"{path} belongs to another user (number {found.st_uid})")
    if not apply:
        return DIFFERS
    _own(path, item)
    return CHANGED


def _own(path: str, item: Item) -> None:
    """Without following a link; above are only folders that nobody but root can change."""
    uid, gid = _ids(item)
    os.chown(path, uid, gid, follow_symlinks=False)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.fchmod(descriptor, item["mode"])
    finally:
        os.close(descriptor)


def _ids(item: Item) -> tuple[int, int]:
    """The owner's numbers; of one who is not there yet none that anything has."""
    try:
        found = pwd.getpwnam(item["owner"])
    except KeyError:
        return -2, -2
    return found.pw_uid, found.pw_gid


def _parents(path: str, apply: bool) -> bool:
    """True if all folders above `path` are there and root's alone, False if one is missing and must not be made."""
    above = ""
    for part in path.strip("/").split("/")[:-1]:
        above += "/" + part
        found = _seen(above)
        if found is None:
            if not apply:
                return False
            os.mkdir(above, 0o755)
            os.chmod(above, 0o755)
            found = os.lstat(above)
        if not stat.S_ISDIR(found.st_mode):
            raise Refuse(f"{above} is no folder")
        if found.st_uid != 0 or found.st_mode & 0o022:
            raise Refuse(f"{above} does not belong to root alone")
    return True


def _plain(path: str) -> os.stat_result | None:
    """What is at `path`, if it is an ordinary file with one name; None without."""
    found = _seen(path) if _parents(path, apply=False) else None
    if found is not None and (not stat.S_ISREG(found.st_mode) or found.st_nlink != 1):
        raise Refuse(f"{path} is there, and is no ordinary file")
    return found


def _seen(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def _digest(path: str) -> str:
    with open(path, "rb") as opened:
        return hashlib.sha256(opened.read()).hexdigest()


def _take_away(path: str) -> None:
    if stat.S_ISDIR(os.lstat(path).st_mode):
        for name in os.listdir(path):
            _take_away(os.path.join(path, name))
        os.rmdir(path)
    else:
        os.unlink(path)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-500:]
        raise Refuse(f"{argv[0]} ended with {done.returncode}: {said}")
