"""/etc/launchplane/host.json: what an administrator allows on this host. A lane that is not in it does not exist.

    {"version": 1, "host": "chris-testing", "roots": ["/srv/runners"], "github": "https://github.com",
     "lanes": {"cm-website-chris-testing": {"user": "lane-cm-website", "root": "/srv/runners",
                                            "home": "/srv/runners/homes/cm-website",
                                            "scope": "cbusillo/odoo-tenant-cm-website"}}}

`github` may be left out; so may `docker`, launchplane-docker's part (docker_part.py): without it nothing is told of the
engine, and nothing is taken from it. `packages` has the sha256 of each runner's package that may be unpacked; without
it none is, since what is in one runs as the lane's user. "any" leaves that to the control plane, and to its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onhost import docker_part, files, names
from onhost.docker_part import DockerPart
from onhost.exact import parse_object
from onhost.refusals import Refusal, Untrusted

FOLDER = "/etc/launchplane"
NAME = "host.json"
LIMIT = 1 << 20
NEEDED = {"version", "host", "roots", "lanes"}
OPTIONAL = {"github", "docker", "packages"}
ANY = "any"
LANE_FIELDS = {"user", "root", "home", "scope"}
# what every host has and needs, and what a lane's unit hides from its jobs
NEVER_ROOTS = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",  # noqa: S108
    "/usr",
    "/var/tmp",  # noqa: S108
)


@dataclass(frozen=True)
class Lane:
    """One lane as the administrator allows it."""

    name: str
    user: str
    root: str
    home: str
    scope: str

    @property
    def directory(self) -> str:
        """Where its runner lies and runs (M48)."""
        return f"{self.root}/{self.name}"

    @property
    def unit(self) -> str:
        """Its systemd unit (M13)."""
        return f"launchplane-runner@{self.name}.service"


@dataclass(frozen=True)
class HostConfig:
    """All of host.json, checked. `packages` is None where any may be unpacked."""

    host: str
    github: str
    roots: tuple[str, ...]
    lanes: Mapping[str, Lane]
    docker: DockerPart | None
    packages: frozenset[str] | None


def load() -> HostConfig:
    """The configuration of this host. Raises Untrusted when it is missing, wrong, or not root's alone."""
    try:
        with files.folder(FOLDER) as at:
            data = files.read(at, NAME, owner=0, limit=LIMIT)
        if data is None:
            raise Untrusted("config", "it does not exist")
        return parse(data)
    except Refusal as refusal:
        raise Untrusted("config", f"{FOLDER}/{NAME} cannot be used: {refusal.summary}") from refusal


def parse(data: bytes) -> HostConfig:
    """host.json's text as what it says. Raises Refusal with what is wrong with it."""
    told = parse_object(data)
    _require(NEEDED <= set(told) <= NEEDED | OPTIONAL, f"it needs {sorted(NEEDED)} and may have {sorted(OPTIONAL)}")
    _require(told["version"] == 1 and told["version"] is not True, "its version has to be 1")
    host, github, lanes = told["host"], told.get("github", "https://github.com"), told["lanes"]
    roots = _roots(told["roots"])
    if not (isinstance(host, str) and names.is_slug(host)):
        raise Untrusted("config", "its host is no host's name")
    if not (isinstance(github, str) and names.SERVER.fullmatch(github)):
        raise Untrusted("config", "its github is no server's address")
    if not isinstance(lanes, dict):
        raise Untrusted("config", "its lanes have to be an object")
    found = _apart({name: _lane(name, fields, roots) for name, fields in lanes.items()})
    docker = docker_part.parse(told["docker"]) if "docker" in told else None
    return HostConfig(host, github, tuple(roots), found, docker, _packages(told.get("packages", [])))


def _roots(told: object) -> list[str]:
    _require(isinstance(told, list) and bool(told), "its roots have to be a list of folders")
    roots = [root for root in told if isinstance(root, str)] if isinstance(told, list) else []
    for root in roots:
        _require(names.is_path(root), f"{root[:80]!r} is no absolute folder in its plain spelling")
        _require(not _reserved(root), f"{root} belongs to the system")
    _require(isinstance(told, list) and len(roots) == len(told), "its roots have to be texts")
    return roots


def _packages(told: object) -> frozenset[str] | None:
    if told == ANY:
        return None
    good = isinstance(told, list) and all(isinstance(each, str) and names.SHA256.fullmatch(each) for each in told)
    _require(good, "its packages have to be sha256 hashes, 64 small hexadecimal digits each, or any")
    return frozenset(told) if isinstance(told, list) else frozenset()


def _reserved(root: str) -> bool:
    return root in ("/home", "/srv", "/var", "/opt", *NEVER_ROOTS) or any(names.inside(root, at) for at in NEVER_ROOTS)


def _lane(name: str, fields: object, roots: list[str]) -> Lane:
    _require(names.is_slug(name), f"{name[:80]!r} is no lane's name")
    if not isinstance(fields, dict) or set(fields) != LANE_FIELDS:
        raise Untrusted("config", f"lane {name} needs exactly {sorted(LANE_FIELDS)}")
    _require(names.is_user(fields["user"]), f"lane {name}'s user is no user's name")
    _require(fields["root"] in roots, f"lane {name}'s root is none of the roots")
    _require(names.is_path(fields["home"]), f"lane {name}'s home is no absolute folder in its plain spelling")
    _require(any(names.inside(fields["home"], root) for root in roots), f"lane {name}'s home is in none of the roots")
    _require(names.is_scope(fields["scope"]), f"lane {name}'s scope is neither owner/repository nor owner")
    return Lane(name, fields["user"], fields["root"], fields["home"], fields["scope"])


def _apart(lanes: dict[str, Lane]) -> dict[str, Lane]:
    """No two lanes share a user, and nobody's folder lies in another's: a lane's jobs can reach all of its user's."""
    users = [lane.user for lane in lanes.values()]
    _require(len(set(users)) == len(users), "two lanes have the same user")
    folders = sorted(folder for lane in lanes.values() for folder in (lane.directory, lane.home))
    for one in folders:
        nested = [other for other in folders if names.inside(other, one)]
        _require(folders.count(one) == 1 and not nested, f"{one} is used twice, or another lane's folder lies in it")
    return lanes


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Untrusted("config", otherwise)
