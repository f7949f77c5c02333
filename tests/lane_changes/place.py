"""A runner host in a room, GitHub on loopback, and the record of one lane there: where lanes are changed in tests.

The programs on the host, config.sh, the calls to GitHub and the database are real. Stand-ins are systemctl, which
keeps what it was told in a file, sudo and Docker's client; whether the lane is online at GitHub follows from its unit.
"""

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lanes.models import Lane
from launchplane.hosts.models import Host
from tests.fakes.github import GithubServer
from tests.fakes.github_things import Runner
from tests.fakes.loopback import Reply, Request
from tests.fakes.runner.package import VERSION, Package, package
from tests.lanes.asking import TOKEN
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import LABELS, LANE, SCOPE
from tests.onhost.room import CONFIG, PROGRAMS, USERS, Room, build, put

STANDINS = Path(__file__).parent / "standin"
USER = "lane-cm"
UNIT = f"launchplane-runner@{LANE}.service"
CGROUP = "/of-the-lane"
CONFIG_SH = """\
#!/bin/bash
cd "$(dirname "$0")"
real() {{ [ "$1" = remove ] || set -- configure "$@"; ./bin/Runner.Listener "$@"; }}
{text}
"""


class LanesGithub(GithubServer):
    """Whether the lane's runner is online follows from its unit, unless `shows` says otherwise."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self.shows: Literal["what is", "offline", "online"] = "what is"

    def reply(self, request: Request) -> Reply:
        services = self._room.manager()["services"]
        active = isinstance(services, dict) and UNIT in services
        for runner in self.of(SCOPE):
            if runner.name == LANE and runner.secret in self._secret():
                runner.online = active if self.shows == "what is" else self.shows == "online"
        return super().reply(request)

    def _secret(self) -> str:
        """What is in the lane's directory, with which its listener would show to be this runner."""
        path = self._room.directory() / ".credentials_rsaparams"
        return path.read_text(encoding="utf-8-sig") if path.exists() else ""


@dataclass
class Place:
    """The parts of it. `dispatch` is the program that this machine asks in the host's stead."""

    room: Room
    github: LanesGithub
    dispatch: Path
    lane: Lane = field(init=False)

    def put_on_record(self, **different: Any) -> Lane:
        """The host, its grant and the lane, as somebody entered them; nothing is registered."""
        host = a_lane_host(service_users=[USER, "lane-other"], docker_url=different.pop("docker_url"))
        Host.objects.filter(pk=host.pk).update(engine_id="PLAIN:ENGINE")
        a_grant(host)
        self.lane = a_lane(Host.objects.get(pk=host.pk), service_user=USER, agent_id=None, **different)
        return self.lane

    def runner(self) -> Runner:
        """The one runner that GitHub has of the lane's name."""
        (found,) = self.namesakes()
        return found

    def namesakes(self) -> list[Runner]:
        """Every runner that GitHub has of the lane's name, in whatever case."""
        return [runner for runner in self.github.of(SCOPE) if runner.name.lower() == LANE]

    def agent_id(self) -> int | None:
        """Which runner is ours, as the record says."""
        self.lane.refresh_from_db()
        return self.lane.agent_id

    def orders(self) -> list[str]:
        """What systemctl was told, but for looks."""
        orders = self.room.manager()["orders"]
        assert isinstance(orders, list)
        return orders

    def posts(self) -> list[str]:
        """Whatever changed something at GitHub, in order: method and the end of the address."""
        changing = [call for call in self.github.calls if call.method != "GET"]
        return [f"{call.method} {call.path.rpartition('/actions/runners')[2] or call.path}" for call in changing]

    def cut(self, verb: str, when: Literal["before", "after"]) -> None:
        """Lose the connection, once, at the next request with this verb."""
        (self.dispatch.parent / "cut").write_text(f"{verb} {when}")

    def processes_of(self, user: str, *, name: str = "sleep") -> None:
        """What is in the unit's cgroup is a process of this user and name from now on."""
        program = self.room.path(f"srv/{name}")
        shutil.copy("/usr/bin/sleep", program)
        program.chmod(0o755)
        started = self.room.start(["/bin/sh", "-c", f"echo; exec /srv/{name} 1000"], user=user)
        self.room.path(f"sys/fs/cgroup{CGROUP}/cgroup.procs").write_text(f"{started.pid}\n")

    def runs(self) -> None:
        """The lane is there as a creation leaves it: registered, supervised, online. Nothing of how is kept."""
        room, found = self.room, package()
        room.hold()
        asked = {"size_bytes": len(found.content), "sha256": found.sha256}
        answers = [room.runner_verb("fetch", found.content, **asked)]
        reply = self.github.make_token("registration", SCOPE)
        token = str(reply.document["token"]).encode()
        labels = {"scope": SCOPE, "labels": list(LABELS), "update": True}
        answers.append(room.runner_verb("configure", token, **labels))
        answers += [room.unit_verb(verb) for verb in ("install-or-update-unit", "daemon-reload", "enable-now")]
        room.let_go()
        assert [answer.status for answer in answers] == [0] * 5, answers
        room.path("var/lib/launchplane/fencing_token").unlink()
        room.manager(orders=[])
        self.github.calls.clear()
        Lane.objects.update(agent_id=self.runner().id)


def with_config_sh(text: str) -> Package:
    """The stand-in runner with another config.sh; `real` in it does what the true one does."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(package().content), mode="r:gz") as before,
        tarfile.open(fileobj=packed, mode="w") as after,
    ):
        for member in before:
            file = before.extractfile(member)
            content = b"" if file is None else file.read()
            if member.name == "./config.sh":
                content = CONFIG_SH.format(text=text).encode()
                member.size = len(content)
            after.addfile(member, io.BytesIO(content) if file is not None else None)
    return Package(VERSION, gzip.compress(packed.getvalue(), mtime=0))


@contextmanager
def a_place(folder: Path) -> Iterator[Place]:
    """Everything but what is on record. The lane's directory is there, and empty."""
    room = build(folder / "root")
    room.let_go()
    # whoever asks is root there, so that the stand-in for sudo can become the lane's user
    os.chown(room.path("var/lib/launchplane/session"), 0, 0)
    for name in ("sudo", "docker"):
        shutil.copy(STANDINS / name, room.path(f"usr/bin/{name}"))
    for name in ("run.sh", "config.sh"):
        (room.directory() / name).unlink()
    try:
        with _a_listener(room), LanesGithub(room) as github:
            github.accept(TOKEN)
            github.offer(package())
            put(room.path("etc/launchplane/host.json"), json.dumps(CONFIG | {"github": github.url}), mode=0o644)
            yield Place(room, github, _dispatch(room, folder / "dispatch"))
            assert github.complaints == []
    finally:
        room.close()


def _dispatch(room: Room, folder: Path) -> Path:
    folder.mkdir()
    (folder / "enter.json").write_text(json.dumps(room.entering([f"{PROGRAMS}/launchplane-dispatch"], "root")))
    return Path(shutil.copy(STANDINS / "dispatch", folder))


@contextmanager
def _a_listener(room: Room) -> Iterator[None]:
    """A process of the lane's user, which is in the cgroup of whatever unit runs there."""
    process = subprocess.Popen(["/usr/bin/sleep", "infinity"], user=USERS[USER], group=USERS[USER], extra_groups=[])
    group = room.path(f"sys/fs/cgroup{CGROUP}")
    group.mkdir()
    (group / "cgroup.procs").write_text(f"{process.pid}\n")
    room.manager(cgroup=CGROUP)
    try:
        yield
    finally:
        process.kill()
        process.wait()
