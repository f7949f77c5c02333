"""PyGithub's requester, bounded: no retry, no sleep, no redirect, an answer of limited size and time, and no log."""

import logging
import re
from collections.abc import ItemsView
from typing import Any, Final

import requests
from github.Auth import Auth
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester

from lanes.github.errors import GithubDenied, GithubUnreachable
from launchplane.in_time import Adapter

ANSWER_BYTES: Final = 4 * 1024 * 1024
API_VERSION: Final = "2022-11-28"
USER_AGENT: Final = "launchplane"
# PyGithub would go to the address that a redirect names, or wait and ask again after a 202, without an end
REDIRECTS: Final = (301, 302, 303, 307, 308)
NOT_READY: Final = 202


class Received:
    """An answer as PyGithub wants it, all of it here."""

    def __init__(self, status: int, headers: dict[str, str], text: str) -> None:
        self.status, self._headers, self._text = status, headers, text

    def getheaders(self) -> ItemsView[str, str]:
        return self._headers.items()

    def read(self) -> str:
        return self._text


class _Bounded:
    """What both of PyGithub's connections do differently here."""

    session: requests.Session
    protocol: str
    host: str
    port: int
    verb: str
    url: str
    input: Any
    headers: dict[str, str]
    timeout: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # PyGithub's signature
        super().__init__(*args, **kwargs)
        self.session.mount(f"{self.protocol}://", Adapter())
        # plain HTTP is for loopback only: no proxy of the environment may see what goes over it
        self.session.trust_env = self.protocol == "https"

    def getresponse(self) -> Received:
        """Raises requests' exceptions, GithubUnreachable and GithubDenied."""
        answer = self.session.request(
            self.verb,
            f"{self.protocol}://{self.host}:{self.port}{self.url}",
            headers=self.headers,
            data=self.input,
            timeout=self.timeout,
            allow_redirects=False,
            stream=True,
        )
        with answer:
            _refuse_to_follow(answer)
            return Received(answer.status_code, _headers(answer), _text(answer))


class _PlainConnection(_Bounded, HTTPRequestsConnectionClass):  # type: ignore[misc]  # it answers with its own response
    pass


class _SecureConnection(_Bounded, HTTPSRequestsConnectionClass):  # type: ignore[misc]  # as above
    pass


class Wire(Requester):
    """Asks one server with one credential. `seconds` bounds the connecting, and again the whole answer."""

    # What `injectConnectionClasses` sets; calling that would also open a new connection for each request.
    _Requester__httpConnectionClass = _PlainConnection
    _Requester__httpsConnectionClass = _SecureConnection

    def __init__(self, *, base_url: str, auth: Auth, seconds: int) -> None:
        super().__init__(
            auth=auth,
            base_url=base_url,
            timeout=seconds,
            user_agent=USER_AGENT,
            per_page=100,
            verify=True,
            retry=0,
            pool_size=1,
            api_version=API_VERSION,
        )


# PyGithub logs whole answers at DEBUG, and with them registration tokens. This logger is in no hierarchy.
Wire.injectLogger(logging.Logger("lanes.github.unheard", level=logging.CRITICAL + 1))


def _refuse_to_follow(answer: requests.Response) -> None:
    if answer.status_code in REDIRECTS:
        raise GithubDenied(
            "github_moved",
            f"GitHub answers that this is elsewhere now ({answer.status_code}): renamed or transferred. "
            "Nothing was followed; correct the name.",
            request_id=request_id(answer.headers.get("x-github-request-id", "")),
        )
    if answer.status_code == NOT_READY:
        raise GithubUnreachable("github_unexpected_answer", "GitHub is not ready with the answer (202); ask later.")


def request_id(text: str) -> str:
    """The id that GitHub gave to a request, or "" for what is none."""
    return text if re.fullmatch(r"[A-Za-z0-9:._-]{1,100}", text) else ""


def _headers(answer: requests.Response) -> dict[str, str]:
    """Without numbers that are none, over which PyGithub would fall."""
    return {
        name: value
        for name, value in ((name.lower(), value) for name, value in answer.headers.items())
        if not name.startswith("x-ratelimit-") or name.endswith("-resource") or re.fullmatch(r"[0-9]{1,15}", value)
    }


def _text(answer: requests.Response) -> str:
    content = bytearray()
    for chunk in answer.iter_content(64 * 1024):
        content += chunk
        if len(content) > ANSWER_BYTES:
            raise GithubUnreachable(
                "github_answer_too_large", f"GitHub's answer has more than {ANSWER_BYTES // 2**20} MiB; it was left."
            )
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise GithubUnreachable("github_unexpected_answer", "GitHub's answer is not text.") from None
