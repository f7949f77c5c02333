"""What is there before the first proof: a disposable host, GitHub, a server with two people, and somebody's runner."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onhost.config import Lane
from tests.fakes.github import GithubServer
from tests.fakes.runner.package import package
from tests.lanes.asking import TOKEN
from tests.proof.lane.commands import Shell
from tests.proof.lane.pages import Person
from tests.server.test_server import Server, free_port
from tests.testbed.host import DisposableHost
from tests.testbed.runner import ByHand

HOST, LANE, USER, ROOT = "chris-testing", "cm-website-chris-testing", "lane-cm-website", "/srv/runners"
SCOPE = "cbusillo/odoo-tenant-cm-website"
UNIT = f"launchplane-runner@{LANE}.service"
# the last one makes it a build lane: its baseline has to show Buildx, too
LABELS = ("self-hosted", "launchplane", "launchplane-managed", HOST, "cm-website", "buildx")
MANAGED = "ci.managed=true"
# a runner that somebody else set up on the same machine, in the same root, as GitHub's own script would
THEIRS = Lane("theirs", "theirs", ROOT, f"{ROOT}/homes/theirs", "acme/other")
THEIR_UNIT = "actions.runner.acme-other.theirs.service"
LOGIN = re.compile(r"(operator|approver) +(\S+)$", re.MULTILINE)
# what may not change by a look, and of which removal may leave nothing
WATCHED = ("/etc", "/srv", "/home", "/opt", "/root", "/usr/local", "/var/lib/launchplane")

Contents = Mapping[str, str]


@dataclass
class Place:
    """All of it. `folder` is the artifact's; the fields below it are what one proof leaves for a later one."""

    folder: Path
    host: DisposableHost
    github: GithubServer
    server: Server
    theirs: ByHand
    operator: Person
    approver: Person
    shell: Shell
    installed: Contents = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    created: dict[str, Any] = field(default_factory=dict)
    their_start: tuple[str, str] = ("", "")
    found_secrets: list[str] = field(default_factory=list)
    watched_for: dict[str, list[list[str]]] = field(default_factory=dict)

    @property
    def lane_folder(self) -> str:
        return f"{ROOT}/{LANE}"

    def contents(self) -> Contents:
        """Each file and folder of the host that is watched: kind, mode, owner, and a hash of what is in it."""
        there = [place for place in WATCHED if self.host.run(["test", "-e", place]).returncode == 0]
        listing = self.host.must(["find", *there, "-printf", "%p\t%M %u:%g %l\n"])
        sums = self.host.must(["sh", "-c", f"find {' '.join(there)} -type f -print0 | xargs -0 sha256sum"])
        found = dict(line.split("\t", 1) for line in listing.splitlines())
        for line in sums.splitlines():
            told, path = line.split("  ", 1)
            found[path] = f"{found.get(path, '')} {told}"
        return found

    def show(self, unit: str, name: str) -> str:
        """A property of a unit on the host, as systemd tells root."""
        return self.host.must(["systemctl", "show", "--value", f"--property={name}", unit]).strip()

    def cursor(self) -> str:
        """Where the host's journal ends now."""
        self.host.must(["journalctl", "--sync"])
        shown = self.host.must(["journalctl", "--no-pager", "--lines=0", "--show-cursor"])
        return shown.partition("-- cursor: ")[2].strip()

    def asked_of_sudo(self, cursor: str) -> list[str]:
        """What was run by sudo since then, as whom: the journal has it from sudo itself."""
        self.host.must(["journalctl", "--sync"])
        since = ["journalctl", "--no-pager", "--output=cat", f"--after-cursor={cursor}", "_COMM=sudo"]
        told = re.findall(r"USER=(\S+) ; (?:ENV=\S* ; )?COMMAND=(.*)", self.host.must(since))
        return [f"{user}: {command}" for user, command in told]

    def runners(self) -> list[dict[str, object]]:
        """Those of the lane's repository, as GitHub has them."""
        return [runner.document() for runner in self.github.of(SCOPE)]

    def calls(self, *methods: str) -> list[str]:
        """What the control plane asked of GitHub so far with these methods."""
        return [f"{c.method} {c.path}" for c in self.github.calls if c.method in methods and c.identity != "runner"]

    def keep(self, name: str, text: str) -> str:
        """Leave `text` in the artifact's folder; gives the file's name, for the evidence."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name


def different(before: Contents, after: Contents) -> list[str]:
    """Paths that came, went or changed."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


@contextmanager
def a_place(folder: Path, host: DisposableHost, state: Path) -> Iterator[Place]:
    """Everything started, and ended again; `host` was never used, `state` is a new state directory."""
    with GithubServer("0.0.0.0") as github:  # noqa: S104 - the host has to reach it; nothing else can
        github.accept(TOKEN)
        github.offer(package())
        theirs = ByHand(host, github, THEIRS, unit=THEIR_UNIT)
        theirs.lay()
        theirs.configure("theirs")
        theirs.start()
        settings = {
            "LAUNCHPLANE_SANDBOX": "never",
            "LAUNCHPLANE_GITHUB_API_URL": github.url,
            "LAUNCHPLANE_GITHUB_TOKEN": TOKEN,
            "DOCKER_HOST": f"unix://{state}/none.sock",
        }
        with Server(state, free_port(), settings) as server:
            people = _people(server)
            shell = Shell(server.environment | _as_an_administrator(host, state.parent / "administrator"))
            yield Place(folder, host, github, server, theirs, *people, shell)


def _as_an_administrator(host: DisposableHost, folder: Path) -> dict[str, str]:
    """An `ssh` that reaches the host as its administrator, with a configuration as somebody would have in ~/.ssh."""
    folder.mkdir()
    (folder / "known_hosts").write_text(f"{host.address} {host.host_key}\n")
    options = {"User": host.user, "IdentityFile": host.identity, "UserKnownHostsFile": folder / "known_hosts"}
    lines = [f"  {name} {value}\n" for name, value in {**options, "IdentitiesOnly": "yes"}.items()]
    (folder / "config").write_text(f"Host {host.address}\n{''.join(lines)}")
    own = folder / "ssh"
    own.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {folder}/config "$@"\n')
    own.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def _people(server: Server) -> tuple[Person, Person]:
    """The two whom the first start makes, logged in."""
    passwords = dict(LOGIN.findall(server.start()))
    address = f"http://127.0.0.1:{server.port}"
    operator, approver = (Person(name, passwords[name], address) for name in ("operator", "approver"))
    for person in (operator, approver):
        person.log_in()
    return operator, approver
