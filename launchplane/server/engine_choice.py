"""Which Docker engine the first host is: the one that answers here, a sandbox of our own, or none yet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from launchplane.problems import Problem

DEFAULT_URL = "unix:///var/run/docker.sock"
SandboxMode = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What the choice depends on."""

    mode: SandboxMode
    docker_host: str
    has_hosts: bool
    sandbox_was_made: bool
    can_make_sandbox: bool


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """`url`: an engine that answers, to be a host. `sandbox`: run the private one. `sentence`: tells a person why."""

    url: str | None
    sandbox: bool
    sentence: str


def choose(situation: Situation, *, silence: Callable[[str], str | None]) -> EngineChoice:
    """Decide. `silence(url)` is why no engine answers there, or None if one does.

    A machine whose own engine is only down for a while gets no sandbox: where a host was added before, auto makes none.
    Raises Problem `docker_host_not_local`, `sandbox_not_possible`.
    """
    if situation.mode == "always":
        return _always(situation)
    url = _local_url(situation.docker_host)
    reason = silence(url)
    again = situation.mode == "auto" and situation.sandbox_was_made and situation.can_make_sandbox
    if reason is None:
        return EngineChoice(url, again, f"A Docker engine answers at {url}.")
    unanswered = f"No Docker engine answers at {url} ({reason})."
    if again:
        return EngineChoice(None, True, f"{unanswered} Starting the sandbox again.")
    if situation.mode == "auto" and situation.can_make_sandbox and not situation.has_hosts:
        return EngineChoice(None, True, f"{unanswered} Making a sandbox: a private engine with planted leftovers.")
    return EngineChoice(None, False, f"{unanswered} {_without(situation)}")


def _always(situation: Situation) -> EngineChoice:
    if not situation.can_make_sandbox:
        raise Problem(
            "sandbox_not_possible",
            "LAUNCHPLANE_SANDBOX is always, but a sandbox needs root, and dockerd or Debian to install it.",
        )
    return EngineChoice(None, True, "Starting the sandbox, as LAUNCHPLANE_SANDBOX says.")


def _local_url(docker_host: str) -> str:
    url = docker_host or DEFAULT_URL
    if not url.startswith("unix:///"):
        raise Problem(
            "docker_host_not_local",
            f"DOCKER_HOST is {url!r}: only an engine of this machine, unix:///path/of/its/socket, can be the first "
            "host. Unset DOCKER_HOST, or set LAUNCHPLANE_SANDBOX=always.",
        )
    return url


def _without(situation: Situation) -> str:
    if situation.has_hosts:
        return "The hosts that were added are kept; their pages say since when they cannot be reached."
    why = "LAUNCHPLANE_SANDBOX is never" if situation.mode == "never" else "a sandbox needs root on Debian"
    return f"Starting without a host ({why}); the dashboard says how to add one."
