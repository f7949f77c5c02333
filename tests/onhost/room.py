"""A root folder in which the programs run as on a host: their own /etc, /var and /srv, and this machine's /usr below.

Nothing in the programs knows of it: they are installed where they belong, and started in a mount namespace of their
own with that folder as its root. What they wrote lies in it afterwards.
"""

import fcntl
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from onhost import layout
from onhost.docker_part import REMOVALS

PROJECT = Path(__file__).parents[2]
STANDIN = Path(__file__).parent / "standin"
PROGRAMS = "/usr/local/lib/launchplane"
UNITS = "etc/systemd/system"
LANE, OTHER = "cm-website-chris-testing", "other-lane"
SESSION = "0123456789abcdef0123456789abcdef"
USERS = {"lane-cm": 64101, "lane-other": 64102, "operator": 64103}
CONFIG: dict[str, object] = {
    "packages": "any",
    "version": 1,
    "host": "chris-testing",
    "roots": ["/srv/runners"],
    "lanes": {
        LANE: {
            "user": "lane-cm",
            "root": "/srv/runners",
            "home": "/srv/runners/homes/lane-cm",
            "scope": "cbusillo/odoo-tenant-cm-website",
        },
        OTHER: {
            "user": "lane-other",
            "root": "/srv/runners",
            "home": "/srv/runners/homes/lane-other",
            "scope": "cbusillo/other",
        },
    },
}
DOCKER: dict[str, object] = {
    "socket": "/run/docker.sock",
    "runner_roots": ["/opt/runners"],
    "docker_configs": ["/root/.docker"],
    "keep": {
        "image": ["precious:*", f"sha256:{'f' * 64}"],
        "container": ["registry"],
        "volume": ["pg_*"],
        "builder": ["buildx_buildkit_warm*"],
    },
    "hourly": {
        "remove_image": 2,
        "remove_container": 2,
        "remove_volume": 2,
        "prune_build_cache": 2,
        "prune_builder": 2,
    },
}
FOLDERS = (
    UNITS,
    "etc/launchplane",
    "var/lib/launchplane",
    "run",
    "proc",
    "dev",
    "usr",
    "tmp",
    ".work",
    "sys/fs/cgroup",
)
TRACES = ("fencing_token", ".launchplane-lock")
WATCHED = ("etc", "var", "srv", "run", "usr/local")
MANAGER: dict[str, object] = {
    "loaded": {},
    "enabled": [],
    "services": {},
    "drop_ins": [],
    "user": "",
    "orders": [],
    "ignored": [],
    "failing": [],
}
ENTER = """
set -e
root=$1; shift
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$root/.upper,workdir=$root/.work" "$root/usr"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$@"
"""


@dataclass(frozen=True)
class Answer:
    """What a program said, and how it ended."""

    status: int
    told: dict[str, object]
    stdout: str
    stderr: str

    @property
    def code(self) -> str:
        """The code of the error; empty when there is none."""
        error = self.told.get("error")
        return str(error["code"]) if isinstance(error, dict) else ""

    def fact(self, name: str) -> dict[str, object]:
        """One of the answer's facts."""
        facts = self.told["facts"]
        assert isinstance(facts, dict)
        found = facts[name]
        assert isinstance(found, dict)
        return found


@dataclass
class Room:
    """The root folder. `path` takes a host's path to where it lies."""

    root: Path
    token: int = 0
    _kept: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _held: TextIO | None = None

    def path(self, place: str) -> Path:
        """Where the host's `place` lies; the programs' folder is in a layer above this machine's own /usr."""
        relative = place.removeprefix("/")
        return self.root / (relative.replace("usr/", ".upper/", 1) if relative.startswith("usr/") else relative)

    def unit(self, lane: str = LANE) -> Path:
        """The unit file of `lane`."""
        return self.path(f"{UNITS}/launchplane-runner@{lane}.service")

    def directory(self, lane: str = LANE) -> Path:
        """The folder of `lane`."""
        return self.path(f"srv/runners/{lane}")

    def contents(self) -> dict[str, tuple[int, int, bytes]]:
        """Everything that a program might have changed: kind and mode, owner, and what is in it.

        Left out is what only says that somebody asked: the newest fencing token, and the locks.
        """
        places = [path for top in WATCHED for path in [self.path(top), *sorted(self.path(top).rglob("*"))]]
        return {str(path.relative_to(self.root)): _content(path) for path in places if path.name not in TRACES}

    def manager(self, **changes: object) -> dict[str, object]:
        """What the stand-in manager knows, with `changes`."""
        state = self.path("run/manager.json")
        told: dict[str, object] = json.loads(state.read_text()) | changes
        state.write_text(json.dumps(told))
        return told

    def request(self, verb: str, lane: str = LANE, /, **other: object) -> dict[str, object]:
        """A good request, but for `other`; a field given as ... is left out. The host is held by its session."""
        self.token += 1
        lanes = CONFIG["lanes"]
        assert isinstance(lanes, dict)
        told = {
            "version": "1",
            "verb": verb,
            "host": "chris-testing",
            "lane": lane,
            "user": lanes[lane]["user"],
            "root": "/srv/runners",
            "unit": f"launchplane-runner@{lane}.service",
            "dry_run": False,
            "fencing_token": self.token,
            "session": SESSION,
        } | other
        return {name: value for name, value in told.items() if value is not ...}

    def unit_verb(self, verb: str, lane: str = LANE, /, **other: object) -> Answer:
        """launchplane-unit, as root."""
        return self.say("launchplane-unit", self.request(verb, lane, **other))

    def runner_verb(self, verb: str, body: bytes = b"", /, **other: object) -> Answer:
        """launchplane-runner, as the lane's user."""
        reading: dict[str, object] = {"fencing_token": ..., "session": ...}
        request = self.request(verb, **(reading if verb == "observe" else {}) | other)
        return self.say("launchplane-runner", request, body=body, user=str(request["user"]))

    def docker_verb(self, verb: str, body: bytes = b"", /, **other: object) -> Answer:
        """launchplane-docker, as root."""
        asked = {"lane": ..., "user": ..., "root": ..., "unit": ...} | other
        reading: dict[str, object] = {"fencing_token": ..., "session": ...}
        request = self.request(verb, **({} if verb in REMOVALS else reading) | asked)
        return self.say("launchplane-docker", request, body=body)

    def say(self, program: str, request: dict[str, object], *, body: bytes = b"", user: str = "root") -> Answer:
        """`program` with this request."""
        return self.run([f"{PROGRAMS}/{program}"], stdin=json.dumps(request).encode() + b"\n" + body, user=user)

    def run(self, argv: list[str], *, stdin: bytes = b"", user: str = "root") -> Answer:
        """Any program in the room, to its end."""
        done = subprocess.run(
            self.entering(argv, user), input=stdin, capture_output=True, env={}, timeout=120, check=False
        )
        stdout = done.stdout.decode()
        told = json.loads(stdout) if stdout.startswith("{") else {}
        return Answer(done.returncode, told, stdout, done.stderr.decode())

    def start(self, argv: list[str], *, user: str = "root", stdin: bytes = b"") -> subprocess.Popen[bytes]:
        """A program that stays; it has said one line. It is ended with the room."""
        process = subprocess.Popen(self.entering(argv, user), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._kept.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(stdin)
        process.stdin.flush()
        process.stdout.readline()
        return process

    def hold(self, session: str = SESSION) -> None:
        """Hold the host as launchplane-hold does, until `let_go`."""
        held = self.path("var/lib/launchplane/session").open("w")
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.write(f"{session}\n")
        held.flush()
        self._held = held

    def let_go(self) -> None:
        """The session has ended, and left its id behind, as one does that is killed."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def close(self) -> None:
        """End what was started."""
        self.let_go()
        for process in self._kept:
            process.kill()
            process.communicate()

    def entering(self, argv: list[str], user: str) -> list[str]:
        """The command that runs `argv` in the room, in the environment of whoever runs it."""
        number = USERS.get(user, 0)
        who = [f"--userspec={number}:{number}", "--groups="] if number else []
        inner = ["/bin/sh", "-c", ENTER, "sh", str(self.root), *who, str(self.root), *argv]
        return ["/usr/bin/unshare", "--mount", "--propagation", "private", *inner]


def _content(path: Path) -> tuple[int, int, bytes]:
    found = path.lstat()
    data = bytes(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
    return found.st_mode, found.st_uid, data


def install(folder: Path) -> None:
    """The programs as they are installed: owned by root, writable by nobody else, nothing else beside them."""
    for place, (source, mode) in layout.files().items():
        path = folder / Path(place).relative_to(PROGRAMS)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
        path.chmod(mode)


def build(root: Path) -> Room:
    """A host with both lanes' users and folders, a runner in each, and nothing started."""
    room = Room(root)
    for place in FOLDERS:
        (root / place).mkdir(parents=True)
    (root / "tmp").chmod(0o777)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    install(root / ".upper/local/lib/launchplane")
    (root / ".upper/bin").mkdir()
    for name in ("systemctl", "sudo"):
        shutil.copy(STANDIN / name, root / ".upper/bin" / name)
    _write_etc(room)
    room.hold()
    for lane, user in ((LANE, "lane-cm"), (OTHER, "lane-other")):
        _own(room.path(f"srv/runners/homes/{user}"), USERS[user])
        _own(room.directory(lane), USERS[user])
        put(room.directory(lane) / "run.sh", "#!/bin/sh\n", USERS[user])
        put(room.directory(lane) / "config.sh", (STANDIN / "config.sh").read_text(), USERS[user])
    return room


def put(path: Path, text: str, owner: int = 0, mode: int = 0o755) -> None:
    """A file of `owner`'s."""
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, owner, owner)


def _own(folder: Path, owner: int) -> None:
    folder.mkdir(parents=True)
    os.chown(folder, owner, owner)


def _write_etc(room: Room) -> None:
    users = "".join(f"{name}:x:{number}:{number}::/nowhere:/bin/sh\n" for name, number in USERS.items())
    put(room.path("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n" + users, mode=0o644)
    put(room.path("etc/nsswitch.conf"), "passwd: files\n", mode=0o644)
    put(room.path("etc/launchplane/host.json"), json.dumps(CONFIG | {"docker": DOCKER}), mode=0o644)
    put(room.path("var/lib/launchplane/lock"), "", mode=0o600)
    put(room.path("var/lib/launchplane/session"), "", USERS["operator"], mode=0o600)
    put(room.path("run/manager.json"), json.dumps(MANAGER), mode=0o644)
