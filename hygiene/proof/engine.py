"""The engine that is measured: its images are looked at, and one is pulled. Nothing is ever removed."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

import docker.errors
import urllib3.exceptions

from hygiene.proof.progress import pull_error
from hygiene.proof.transport import connect
from launchplane.hosts.local_engine import LocalEngine
from launchplane.problems import Problem
from launchplane.words import clean_message
from onhost.engine.deadline import Deadline

LOOK_SECONDS = 30.0
PULL_SECONDS = 1800.0
MOST_MESSAGES = 500_000
MOST_IMAGES = 5_000


class Present(NamedTuple):
    """An image that is there, with its layers, base first."""

    id: str
    layers: tuple[str, ...]


class Pulled(NamedTuple):
    """What the engine said while it pulled, and how long that took from the request to the last word."""

    messages: tuple[Mapping[str, Any], ...]
    duration_ms: int


class ProofEngine:
    """One engine behind a `unix://` address. Raises EngineUnavailable, and Problem with the code that is named."""

    def __init__(self, docker_url: str) -> None:
        identity = LocalEngine(docker_url).identify()
        self.url, self.engine_id = docker_url, identity.engine_id
        self._deadline = Deadline(LOOK_SECONDS)
        self._client = connect(docker_url, api_version=identity.api_version, deadline=self._deadline)

    def image(self, name: str) -> Present | None:
        """The image of that name or id, or None if there is none. Raises `not_answered`."""
        with self._asking(f"image {name}", LOOK_SECONDS):
            try:
                found = self._client.inspect_image(name)
            except docker.errors.ImageNotFound:
                return None
        return Present(found["Id"], tuple((found.get("RootFS") or {}).get("Layers") or ()))

    def layers_of_others(self, image: Present) -> list[tuple[str, ...]] | None:
        """The layers of every other image; None if there are too many to ask for one by one. Raises `not_answered`."""
        with self._asking("the list of images", LOOK_SECONDS):
            ids = {str(entry["Id"]) for entry in self._client.images()} - {image.id}
        if len(ids) > MOST_IMAGES:
            return None
        return [other.layers for name in sorted(ids) if (other := self.image(name)) is not None]

    def pull(self, name: str, *, seconds: float = PULL_SECONDS) -> Pulled:
        """Pull one tag, with the login that this user's client has for its registry.

        Raises `engine_refused`, `not_answered`. Without a tag it is `latest`: the engine would take all there are.
        """
        started = time.monotonic()
        with self._asking(f"the pull of {name}", seconds):
            stream = self._client.pull(*_repository_and_tag(name), stream=True, decode=True)
            messages = tuple(islice(stream, MOST_MESSAGES))
        duration_ms = round((time.monotonic() - started) * 1000)
        if (why := pull_error(messages)) is not None:
            raise _refused(f"the pull of {name}", why)
        return Pulled(messages, duration_ms)

    @contextmanager
    def _asking(self, what: str, seconds: float) -> Iterator[None]:
        self._deadline.restart(seconds)
        try:
            yield
        except docker.errors.APIError as error:
            raise _refused(what, str(error.explanation or error)) from error
        except (docker.errors.DockerException, urllib3.exceptions.HTTPError, OSError) as error:
            sentence = (
                f"The engine did not answer for {what} within {seconds:g} s, or hung up ({type(error).__name__})."
            )
            raise Problem("not_answered", sentence) from error


def _repository_and_tag(name: str) -> tuple[str, str]:
    """`host:5000/app` has a port and no tag; by a digest there is one image at most."""
    repository, at, digest = name.partition("@")
    if at:
        return repository, digest
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def _refused(what: str, why: str) -> Problem:
    return Problem("engine_refused", f"The engine refused {what}: {clean_message(why)}. Nothing was measured.")
