"""One credential at one server: a call at a time, unchanged answers for free, everything else a typed problem.

Nothing is asked twice, and nothing waits for a limit to end.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Final
from urllib.parse import urlencode, urlsplit

import requests
from github.Auth import Auth

from lanes.github.errors import GithubLimited
from lanes.github.kept import Kept, KeptAnswer
from lanes.github.verdicts import Refusal, problem_of, unreachable
from lanes.github.wire import Wire, request_id

ACCEPT: Final = "application/vnd.github+json"
SECONDS: Final = 20

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked, for which scope. `document` is sent as JSON."""

    method: str
    scope: str
    path: str
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    document: Mapping[str, object] | None = None

    @property
    def address(self) -> str:
        return f"{self.path}?{urlencode(self.parameters)}"


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What came. `text` may hold a token, so this has no repr."""

    status: int
    text: str
    request_id: str


class Session:
    """`expelled` once the server did not know the credential any more."""

    def __init__(self, *, base_url: str, auth: Auth, clock: Clock, seconds: int = SECONDS) -> None:
        self._wire = Wire(base_url=base_url, auth=auth, seconds=seconds)
        self._host = urlsplit(base_url).netloc
        self._kept, self._lock, self._clock = Kept(), Lock(), clock
        self._not_before: datetime | None = None
        self.expelled = False

    def ask(self, call: Call, *, expected: Collection[int] = (200,)) -> Answer:
        """The answer, if its status is one of `expected`. Raises GithubProblem. 304 is told as the 200 of before."""
        with self._lock:
            self._leave_alone()
            kept = self._kept.get(call.address) if call.method == "GET" else None
            status, headers, text = self._send(call, kept)
            if status == 304 and kept is not None:
                status, text = 200, kept.text
            elif call.method == "GET" and status == 200:
                self._kept.put(call.address, etag=headers.get("etag", ""), text=text)
            answer = Answer(status, text, request_id(headers.get("x-github-request-id", "")))
            if status not in expected:
                self._refuse(Refusal(call.scope, status, headers, text, answer.request_id))
        return answer

    def _leave_alone(self) -> None:
        if self._not_before is not None and self._clock() < self._not_before:
            raise GithubLimited(
                f"GitHub limited us; it is not asked again before {self._not_before:%Y-%m-%d %H:%M:%S} UTC.",
                try_again_at=self._not_before,
            )

    def _send(self, call: Call, kept: KeptAnswer | None) -> tuple[int, Mapping[str, str], str]:
        headers = {"Accept": ACCEPT, "Accept-Encoding": "identity"}
        if kept is not None:
            headers["If-None-Match"] = kept.etag
        try:
            return self._wire.requestJson(call.method, call.path, dict(call.parameters), headers, call.document)
        except requests.RequestException as error:
            problem = unreachable(error, host=self._host)
        raise problem  # out here, because requests' exception holds the request, and with it the credential

    def _refuse(self, refusal: Refusal) -> None:
        problem = problem_of(refusal, now=self._clock())
        if isinstance(problem, GithubLimited):
            self._not_before = problem.try_again_at
        self.expelled = self.expelled or refusal.status == 401
        raise problem
