"""Gets the document with an issuer's keys, once: no redirect, no repetition, limited in size and time."""

from typing import Final

import requests

from launchplane.in_time import Adapter

CONNECT_SECONDS, ANSWER_SECONDS = 3, 5
LONGEST_BYTES: Final = 256 * 1024


class Unfetched(Exception):
    """The keys did not come; the text says why."""


def fetch(url: str) -> str:
    """The document at `url`. Raises Unfetched."""
    try:
        with requests.Session() as session:
            session.mount(url, Adapter())
            # plain HTTP is for loopback only: no proxy of the environment may answer for it
            session.trust_env = url.startswith("https:")
            session.headers["Accept-Encoding"] = "identity"
            with session.get(
                url, timeout=(CONNECT_SECONDS, ANSWER_SECONDS), allow_redirects=False, stream=True
            ) as answer:
                return _text(answer)
    except (requests.RequestException, OSError, ValueError) as error:
        raise Unfetched(f"{url}: {type(error).__name__}") from error


def _text(answer: requests.Response) -> str:
    if answer.status_code != requests.codes.ok:
        raise Unfetched(f"{answer.url} answers {answer.status_code}")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Unfetched(f"{answer.url} answers compressed, which was not asked for")
    content = bytearray()
    for chunk in answer.iter_content(64 * 1024):
        content += chunk
        if len(content) > LONGEST_BYTES:
            raise Unfetched(f"{answer.url} answers with more than {LONGEST_BYTES} bytes")
    return content.decode()
