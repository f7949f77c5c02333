"""Whether a job runs on a lane, by two witnesses that must both say no: GitHub and the unit's own processes. Pure.

GitHub's `busy` comes late and `Runner.Worker` comes later than the job: neither is enough alone, and unknown is not no.
"""

from dataclasses import dataclass
from typing import Literal

from lanes.contracts import Observed
from lanes.parts import Parts


@dataclass(frozen=True, slots=True)
class Work:
    """`state` with its reason in a sentence. "none" is a proof; "unknown" counts as a job (L24)."""

    state: Literal["none", "running", "unknown"]
    reason: str


def work_on(parts: Parts, observed: Observed) -> Work:
    """None only if the lane is offline at GitHub, not registered or not busy there, and no worker process is alive."""
    of_host = _processes(observed)
    of_github = _github(parts)
    for state in ("running", "unknown"):
        for witness in (of_host, of_github):
            if witness.state == state:
                return witness
    return Work("none", f"{of_github.reason} {of_host.reason}")


def github_holds_a_job(parts: Parts, observed: Observed) -> bool:
    """Whether GitHub still counts a job on the runner, online or not: it refuses to delete such a one."""
    return (parts.runner is not None and parts.runner.busy) or observed.condition == "offline_busy"


def runs_unsupervised(parts: Parts) -> bool:
    """Whether our runner is online although its unit does not run: something else has started it (M2, M65)."""
    online = parts.registration == "ours" and parts.runner is not None and parts.runner.online
    return online and parts.unit in ("none", "inactive")


def _processes(observed: Observed) -> Work:
    service = observed.service
    if service is None:
        return Work("unknown", "Whether its unit has worker processes was not read.")
    if not service.exists:
        return Work("none", "It has no unit that could work.")
    if service.workers is None:
        return Work("unknown", "Nobody could count the worker processes of its unit.")
    if service.workers > 0:
        counted = "a worker process" if service.workers == 1 else f"{service.workers} worker processes"
        return Work("running", f"A job runs: its unit has {counted}.")
    return Work("none", "Its unit has no worker process.")


def _github(parts: Parts) -> Work:
    if parts.registration == "none":
        return Work("none", "GitHub does not know it, so it is given no job.")
    if parts.registration != "ours" or parts.runner is None:
        return Work("unknown", "What GitHub says of it is not known.")
    if not parts.runner.online:
        return Work("none", "GitHub shows it offline.")
    if parts.runner.busy:
        return Work("running", "GitHub shows it busy.")
    if parts.unit != "active":
        return Work("unknown", "It is online without its unit: nobody can count the workers of what runs it.")
    return Work("none", "GitHub shows it idle.")
