"""Everything that has to be on a host, in the order in which it is made: users, folders, files with their content.

It is only a list: what is shown to a person is what is done, item by item.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from onhost import FOLDER, authorized_keys, config, fence, session, sudoers
from onhost.config import HostConfig

SOURCE: Final = Path(sudoers.__file__).parent
HOME: Final = f"{fence.FOLDER}/home"
SHELL: Final = "/bin/sh"  # sshd starts a forced command by it
NO_SHELL: Final = "/usr/sbin/nologin"
SUDOERS: Final = "/etc/sudoers.d/launchplane"
VISUDO: Final = ("/usr/sbin/visudo", "-c", "-q", "-f", "{}")
# nobody who comes in from outside, or runs a job, may become root by a group; a lane's user may use Docker
NEVER_IN: Final = ("root", "sudo", "wheel", "adm", "disk", "lxd", "libvirt", "shadow")
CONFIG: Final = f"{config.FOLDER}/{config.NAME}"


@dataclass(frozen=True, slots=True)
class Piece:
    """One item: in words for people, and as there.py takes it. `text` is a content worth reading."""

    what: str
    item: Mapping[str, Any]
    text: str = ""
    sha256: str = ""


def pieces(host_json: bytes, *, ssh_user: str, public_key: str) -> list[Piece]:
    """All of them. Raises onhost.refusals.Refusal for a host.json, user or key that the programs would refuse."""
    told = config.parse(host_json)
    return [
        _user(ssh_user, HOME, SHELL, never_in=(*NEVER_IN, "docker"), exactly=True),
        *(_user(lane.user, lane.home, NO_SHELL, never_in=NEVER_IN) for lane in told.lanes.values()),
        *_programs(),
        _file(CONFIG, host_json, 0o644, readable=True),
        _folder(fence.FOLDER, 0o755),
        _present(f"{fence.FOLDER}/{fence.LOCK}", 0o600, "root"),
        _present(f"{fence.FOLDER}/{session.NAME}", 0o600, ssh_user),
        *_places(told),
        _file(SUDOERS, sudoers.render(ssh_user, told).encode(), 0o440, readable=True, check=VISUDO),
        _folder(HOME, 0o755),
        _folder(f"{HOME}/.ssh", 0o755),
        # last: nobody comes in before all the rest is there
        _file(f"{HOME}/.ssh/authorized_keys", authorized_keys.render(public_key).encode(), 0o644, readable=True),
    ]


def as_text(told: Mapping[str, Any]) -> bytes:
    """host.json as it is written: for people to read."""
    return json.dumps(told, indent=2, ensure_ascii=True).encode() + b"\n"


def _programs() -> Iterator[Piece]:
    """The files of onhost/ as they are here, and nothing else in their folder."""
    found = {path: _target(path) for path in sorted(SOURCE.rglob("*")) if _is_installed(path)}
    folders = sorted({str(Path(target).parent) for target in found.values()} - {FOLDER})
    yield _folder(FOLDER, 0o755)
    yield from (_folder(path, 0o755) for path in folders)
    for path, target in found.items():
        yield _file(target, path.read_bytes(), 0o644 if path.suffix else 0o755)
    item = {"kind": "only", "path": FOLDER, "files": sorted(found.values()), "folders": folders}
    yield Piece(f"nothing else in {FOLDER}", {**item, "what": f"nothing else in {FOLDER}"})


def _is_installed(path: Path) -> bool:
    is_program = path.parent == SOURCE and path.name.startswith("launchplane-")
    return path.is_file() and (path.suffix == ".py" or is_program)


def _target(path: Path) -> str:
    below = path.relative_to(SOURCE)
    return f"{FOLDER}/onhost/{below}" if path.suffix == ".py" else f"{FOLDER}/{below}"


def _places(told: HostConfig) -> Iterator[Piece]:
    """Each lane's folder and its user's home; what is above them is root's."""
    for root in told.roots:
        yield _folder(root, 0o755)
    for lane in told.lanes.values():
        yield _folder(lane.home, 0o750, lane.user)
        yield _folder(lane.directory, 0o750, lane.user)


def _user(name: str, home: str, shell: str, *, never_in: tuple[str, ...], exactly: bool = False) -> Piece:
    """One that is there already keeps its home and shell, unless they have to be `exactly` these."""
    what = f"user {name}: home {home}, shell {shell}, no password, in none of {', '.join(never_in)}"
    item = {"kind": "user", "what": what, "name": name, "home": home, "shell": shell, "exactly": exactly}
    return Piece(what, item | {"never_in": list(never_in)})


def _folder(path: str, mode: int, owner: str = "root") -> Piece:
    what = f"folder {path}: {owner}, {mode:o}"
    return Piece(what, {"kind": "folder", "what": what, "path": path, "mode": mode, "owner": owner})


def _present(path: str, mode: int, owner: str) -> Piece:
    what = f"file {path}: {owner}, {mode:o}, empty when it is made"
    return Piece(what, {"kind": "present", "what": what, "path": path, "mode": mode, "owner": owner})


def _file(path: str, content: bytes, mode: int, *, readable: bool = False, check: tuple[str, ...] = ()) -> Piece:
    digest = hashlib.sha256(content).hexdigest()
    checked = ", checked by visudo before it is put there" if check else ""
    what = f"file {path}: root, {mode:o}, sha256 {digest}{checked}"
    item = {"kind": "file", "what": what, "path": path, "mode": mode, "owner": "root", "sha256": digest}
    item |= {"content": base64.b64encode(content).decode(), "check": list(check)}
    return Piece(what, item, content.decode() if readable else "", digest)
