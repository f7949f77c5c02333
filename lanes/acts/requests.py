"""From a step of a lane's plan to what is asked of a program on its host, and how long that may take. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lanes.contracts import Desired
from lanes.plan.verbs import WAYS, Verb
from launchplane.changes.contracts import Json
from onhost import registration, systemd

RUNNER: Final = "launchplane-runner"
# on top of what a program gives itself: starting it, the way there and back, what it reads before and after
AROUND_SECONDS: Final = 60
READ_SECONDS: Final = 90
# a stop waits for the unit's own end, and a restart for that and a start
OF_SYSTEMD: Final = systemd.STOP_SECONDS + AROUND_SECONDS
OF_CONFIG_SH: Final = registration.SECONDS + AROUND_SECONDS
SLOWEST_BYTES_A_SECOND: Final = 1_000_000

SECONDS: Final[Mapping[Verb, int]] = {
    "stop": OF_SYSTEMD,
    "disable": OF_SYSTEMD,
    "remove-unit": OF_SYSTEMD,
    "install-unit": AROUND_SECONDS,
    "daemon-reload": OF_SYSTEMD,
    "enable-now": OF_SYSTEMD,
    "restart": OF_SYSTEMD,
    "configure": OF_CONFIG_SH,
    "unconfigure": OF_CONFIG_SH,
    "unconfigure-here": OF_CONFIG_SH,
}


@dataclass(frozen=True, slots=True)
class Asking:
    """One request to one program, and the seconds after which nobody waits for it any longer."""

    program: str
    request: Mapping[str, Json]
    timeout_seconds: float


def observing(desired: Desired) -> Asking:
    """To look at a lane there, which changes nothing."""
    return Asking(RUNNER, {"verb": "observe", **_lane(desired)}, READ_SECONDS)


def asking(verb: Verb, desired: Desired, *, size_bytes: int = 0, sha256: str = "") -> Asking:
    """To take one step there. A package's size and hash are for `fetch` alone. Raises KeyError for a verb of GitHub's.

    The lane's own values come from the record; the host holds each against its own configuration (M54).
    """
    program, word = WAYS[verb].call.split(" ")
    more: dict[str, Json] = {}
    if verb == "fetch":
        more = {"size_bytes": size_bytes, "sha256": sha256}
    elif verb == "configure":
        updates = desired.runner_version_policy == "update"
        more = {"scope": desired.scope, "labels": desired.labels, "update": updates}
    elif word == "unconfigure":
        more = {"agent_id": desired.agent_id, "local": verb == "unconfigure-here"}
    return Asking(program, {"verb": word, **_lane(desired), **more}, seconds_for(verb, size_bytes=size_bytes))


def seconds_for(verb: Verb, *, size_bytes: int = 0) -> float:
    """How long a step may take on a host, by the limits that its program sets itself; a package counts by its size."""
    if verb == "fetch":
        return OF_CONFIG_SH + size_bytes / SLOWEST_BYTES_A_SECOND
    return SECONDS[verb]


def _lane(desired: Desired) -> dict[str, Json]:
    return {
        "lane": desired.lane_name,
        "user": desired.service_user,
        "root": desired.registration_root,
        "unit": desired.systemd_unit_name,
    }
