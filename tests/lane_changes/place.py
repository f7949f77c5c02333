"""A runner host in a room, GitHub on loopback, and the record of one lane there: where lanes are changed in tests.

The programs on the host, config.sh, the calls to GitHub and the database are real. Stand-ins are systemctl, which
keeps what it was told in a file, and sudo; whether the lane is online at GitHub follows from its unit.
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lanes.models import Lane
from launchplane.hosts.models import Host
from tests.fakes.github import GithubServer
from tests.fakes.github_things import Runner
from tests.fakes.loopback import Reply, Request
from tests.fakes.runner.package import package
from tests.lanes.asking import TOKEN
from tests.lanes.records import a_grant, a_lane, a_lane_host
from tests.lanes.scenes import LANE, SCOPE
from tests.onhost.room import CONFIG, PROGRAMS, USERS, Room, build, put

HERE = Path(__file__).parent
USER = "lane-cm"
UNIT = f"launchplane-runner@{LANE}.service"
CGROUP = "/of-the-lane"


class LanesGithub(GithubServer):
    """Whether the lane's runner is online follows from its unit, unless a test says something else of it."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self.listener_works = True

    def reply(self, request: Request) -> Reply:
        services = self._room.manager()["services"]
        active = isinstance(services, dict) and UNIT in services
        for runner in self.of(SCOPE):
            if runner.name == LANE and runner.secret in self._secret():
                runner.online = active and self.listener_works
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
        (found,) = [runner for runner in self.github.of(SCOPE) if runner.name == LANE]
        return found

    def orders(self) -> list[str]:
        """What systemctl was told, but for looks."""
        orders = self.room.manager()["orders"]
        assert isinstance(orders, list)
        return orders

    def written(self) -> str:
        """Everything that lies on the host, as text: to be searched."""
        found = [path for path in self.room.root.rglob("*") if path.is_file() and not path.is_symlink()]
        watched = [path for path in found if path.relative_to(self.room.root).parts[0] in ("etc", "var", "srv", "run")]
        return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in watched)

    def posts(self) -> list[str]:
        """What changed something at GitHub, in order: the last parts of each address."""
        changing = [call for call in self.github.calls if call.method != "GET"]
        return [f"{call.method} {call.path.rpartition('/actions/runners/')[2]}" for call in changing]


@contextmanager
def a_place(folder: Path) -> Iterator[Place]:
    """Everything but what is on record. The lane's directory is there, and empty."""
    room = build(folder / "root")
    room.let_go()
    # whoever asks is root there, so that the stand-in for sudo can become the lane's user
    os.chown(room.path("var/lib/launchplane/session"), 0, 0)
    shutil.copy(HERE / "standin" / "sudo", room.path("usr/bin/sudo"))
    for name in ("run.sh", "config.sh"):
        (room.directory() / name).unlink()
    dispatch = folder / "launchplane-dispatch"
    enter = shlex.join(room.entering([f"{PROGRAMS}/launchplane-dispatch"], "root"))
    dispatch.write_text(f"#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin exec {enter}\n")
    dispatch.chmod(0o755)
    try:
        with _a_listener(room), LanesGithub(room) as github:
            github.accept(TOKEN)
            github.offer(package())
            put(room.path("etc/launchplane/host.json"), json.dumps(CONFIG | {"github": github.url}), mode=0o644)
            yield Place(room, github, dispatch)
            assert github.complaints == []
    finally:
        room.close()


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
