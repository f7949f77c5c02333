"""A swarm service of ours that is removed and deployed again: on a private engine only, since it removes (P23)."""

import time

import docker

from hygiene.proof.access_log import AccessLog
from hygiene.proof.contracts import Redeployment
from hygiene.proof.engine import ProofEngine
from launchplane.sandbox.dockerd import PrivateEngine
from tests.registry import free_port

NAME = "proof_web"
WAIT_SECONDS = 60.0
ENDED = ("failed", "rejected", "shutdown", "orphaned")


def redeploy(private: PrivateEngine, image: str, log: AccessLog) -> Redeployment:
    """Deploy, remove, look whether the image is there, deploy again; what that took is read off the registry's log."""
    client = docker.DockerClient(base_url=private.url, version="1.41", timeout=60)
    # another engine of this machine may be a swarm of its own, at the port that is usual
    client.swarm.init(advertise_addr="127.0.0.1", listen_addr=f"127.0.0.1:{free_port()}")
    try:
        _deploy(client, image)
        _remove(client)
        kept = ProofEngine(private.url).image(image) is not None
        before = log.asked()
        runs = _deploy(client, image)
        since = log.asked()[len(before) :]
        _remove(client)
    finally:
        client.swarm.leave(force=True)
        client.close()
    return Redeployment(
        image_kept=kept,
        runs_again=runs,
        layers_loaded=sum(one.is_blob for one in since),
        manifest_checks=sum(one.is_manifest_check for one in since),
    )


def _deploy(client: docker.DockerClient, image: str) -> bool:
    """Whether it runs in the end. The host's network: a private engine has no bridge."""
    service = client.services.create(image, name=NAME, networks=["host"], command=["sleep", "600"])
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        states = {task["Status"]["State"] for task in service.tasks()}
        if "running" in states:
            return True
        if states and states <= {*ENDED}:
            return False
        time.sleep(0.1)
    return False


def _remove(client: docker.DockerClient) -> None:
    """Away, its containers too."""
    client.services.get(NAME).remove()
    deadline = time.monotonic() + WAIT_SECONDS
    label = f"com.docker.swarm.service.name={NAME}"
    while client.api.containers(all=True, filters={"label": label}) and time.monotonic() < deadline:
        time.sleep(0.1)
