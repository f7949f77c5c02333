"""Does a Docker engine answer at an address? Asked before there is a host to ask anything else of."""

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException


def silence(url: str, *, timeout_seconds: float = 3) -> str | None:
    """Why no engine says OK at `url` in time, or None if one does."""
    try:
        client = docker.DockerClient(base_url=url, version="1.41", timeout=timeout_seconds)
        try:
            return None if client.ping() else "it did not say OK"
        finally:
            client.close()
    except (DockerException, RequestException) as error:
        return _in_words(str(error))


def _in_words(error: str) -> str:
    for part, words in (
        ("No such file", "there is no such socket"),
        ("Permission denied", "permission denied"),
        ("Connection refused", "nothing listens there"),
    ):
        if part in error:
            return words
    return "it does not answer like an engine"
