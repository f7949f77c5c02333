"""A build by the engine's own BuildKit, through Docker's client: how long it takes and which steps it knows already.

Builders in containers of their own need the client's buildx; only the engine's own builder is measured.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from hygiene.proof.contracts import Build
from hygiene.proof.progress import build_steps
from launchplane.hosts.command import run
from launchplane.problems import Problem

CLIENT = "/usr/bin/docker"
BUILD_SECONDS = 3600.0
# one name for all builds of proofs: the next build of the same takes it over, so no proof piles up images
TAG = "launchplane-proof/build:latest"
# an engine that is named on the command line must not be overruled by what a shell was told once
OVERRULING = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_API_VERSION")


@dataclass(frozen=True, slots=True)
class BuildAsked:
    """A folder with a Dockerfile, and the network that its steps get (`none` for those that need none)."""

    context: Path
    network: str = "default"


def build(docker_url: str, asked: BuildAsked) -> Build:
    """Build it. Raises Problem `build_failed` with the client's last words."""
    command = [CLIENT, "--host", docker_url, "build", "--progress=plain", f"--network={asked.network}"]
    done = run([*command, "--tag", TAG, str(asked.context)], timeout_seconds=BUILD_SECONDS, env=_environment())
    if done.returncode != 0:
        last = " ".join((done.stderr or done.stdout)[-300:].split())
        raise Problem("build_failed", f"The build ended with {done.returncode}: {last or 'no word'}")
    steps = None if done.truncated else build_steps(done.stderr)
    why = "The client's output is too long." if done.truncated else "The client's output names no step of a build."
    return Build(
        duration_ms=done.duration_ms,
        steps_run=None if steps is None else steps.run,
        steps_cached=None if steps is None else steps.cached,
        unmeasured={} if steps else dict.fromkeys(("steps_run", "steps_cached"), why),
    )


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OVERRULING}
    return kept | {"DOCKER_BUILDKIT": "1"}
