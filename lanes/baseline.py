"""Whether a host has what a lane needs: each check by its name, from what the host tells and GitHub lists. Pure.

What was not read is None, and counts as not ready (M33). Docker's client, engine and buildx are demanded of build
lanes, which are those with one of the labels of BUILD.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from lanes.contracts import Baseline, Desired, Service
from lanes.names import folded
from lanes.parts import Parts
from lanes.told import Line, Name, ToldPart, read
from launchplane.words import human_bytes, printable

BUILD: Final = frozenset({"docker", "buildx", "build"})
# the oldest that hygiene reads, too; and the first buildx that Debian's stable release has with that engine
OLDEST: Final = {"docker_client": (20, 10), "docker_engine": (20, 10), "buildx": (0, 10)}
# who is in one of these can become root, or read what is root's, without a password
MIGHTY: Final = frozenset({"root", "sudo", "wheel", "admin", "adm", "shadow", "disk", "lxd", "incus-admin"})
CLOSING: Final = "."
Bytes = Annotated[int, Field(ge=0, lt=2**63)]
Version = Annotated[str, Field(pattern=r"\A[0-9]{1,5}(\.[0-9]{1,5}){1,3}\z")]
Paths = Annotated[tuple[Line, ...], Field(max_length=100)]
Check = tuple[bool | None, str]


class _User(ToldPart):
    uid: Annotated[int, Field(ge=0, lt=2**32)]
    groups: Annotated[tuple[Name, ...], Field(max_length=1000)]


class _Place(ToldPart):
    path: Line
    problem: Line


class _Disk(ToldPart):
    path: Line
    free_bytes: Bytes
    total_bytes: Bytes


class _Told(ToldPart):
    user: _User
    home: _Place
    docker_config: _Place
    readable_logins: Paths
    global_logins: Paths
    disk: _Disk | None
    docker_client: Version | None
    docker_engine: Version | None
    buildx: Version | None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a host's settings demand of its lanes' surroundings."""

    runner_roots: tuple[str, ...]
    minimum_free_bytes: int


def baseline_of(
    desired: Desired, facts: Mapping[str, object], *, needs: Needs, parts: Parts, service: Service | None
) -> Baseline:
    """Every check of a lane. Raises NotTold where the host did not tell of its baseline."""
    told = read(_Told, facts, "baseline")
    checks: dict[str, Check] = {
        "service_user": _user(desired, told.user),
        "home": _home(told.home, needs),
        "docker_isolation": _isolation(told, service),
        "labels": _labels(parts),
        "disk": _disk(told.disk, needs),
    }
    if BUILD.intersection(map(folded, desired.labels)):
        checks |= {name: _version(name, getattr(told, name)) for name in OLDEST}
    return Baseline(
        checks={name: state for name, (state, _) in checks.items()},
        reasons={name: printable(why)[:300] for name, (_, why) in checks.items()},
    )


def _user(desired: Desired, user: _User) -> Check:
    """An account without any way to become another one (M47)."""
    if user.uid == 0:
        return False, "It is root"
    if mighty := MIGHTY.intersection(user.groups):
        return False, f"{desired.service_user} is in the group {', '.join(sorted(mighty))}"
    return True, f"{desired.service_user} has the id {user.uid}"


def _home(home: _Place, needs: Needs) -> Check:
    if home.problem:
        return False, home.problem
    if not any(home.path.startswith(f"{root}/") for root in needs.runner_roots):
        return False, f"{home.path} lies in none of the host's runner roots"
    return True, home.path


def _isolation(told: _Told, service: Service | None) -> Check:
    """Logins of its own in its own place, and none of anybody else's (M88)."""
    if leaks := (*told.global_logins, *told.readable_logins):
        return False, f"It can read the logins in {', '.join(leaks[:5])}"
    if told.docker_config.problem:
        return False, told.docker_config.problem
    if service is None:
        return None, "Its unit was not read, which names the folder of its logins"
    if not service.ours:
        return False, "Its unit, which names the folder of its logins, is not the one that Launchplane writes"
    return True, f"Its logins are its own, in {told.docker_config.path}"


def _labels(parts: Parts) -> Check:
    if parts.registration != "ours":
        return None, parts.why.get("listing") or "GitHub does not list it"
    return (not parts.labels), " ".join(parts.labels) or "GitHub lists those of its record"


def _disk(disk: _Disk | None, needs: Needs) -> Check:
    if disk is None:
        return None, "Nobody could say how much is free"
    wanted = human_bytes(needs.minimum_free_bytes)
    if disk.free_bytes < needs.minimum_free_bytes:
        return False, f"{human_bytes(disk.free_bytes // 10**9 * 10**9)} are free at {disk.path}, {wanted} are wanted"
    return True, f"At least {wanted} are free at {disk.path}"


def _version(name: str, version: str | None) -> Check:
    oldest = ".".join(map(str, OLDEST[name]))
    what = name.replace("_", " ")
    if version is None:
        return None, f"Its user gets no version of {what}"
    if tuple(map(int, re.findall(r"[0-9]+", version))) < OLDEST[name]:
        return False, f"{what} is {version}, {oldest} is the oldest that will do"
    return True, f"{what} {version}"
