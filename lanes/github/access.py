"""With which credential a scope is asked: one token for all, or an App's installation, for an hour at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Literal, Protocol

from github.Auth import AppAuth, Auth
from github.Auth import Token as TokenAuth

from audits.redact import LIVE
from lanes.github.errors import GithubDenied
from lanes.github.parse import Installation, Token, read
from lanes.github.scopes import Scope
from lanes.github.session import Answer, Call, Session

EARLY: Final = timedelta(minutes=2)  # a token that is nearly over is not begun with
MOST_LEASES: Final = 32  # the redactor becomes slow with more than a few dozen secrets, and with long ones
KNOWN_BY: Final = 24  # characters at the end of a long token, which nobody can do without; its beginning has a look

Level = Literal["read", "write"]
Connect = Callable[[Auth], Session]


class Access(Protocol):
    """Gives the session to ask with. Raises GithubProblem."""

    def session(self, scope: Scope, level: Level) -> Session: ...


class TokenAccess:
    """A personal or fine-grained token: whatever its rights are, they are the same everywhere."""

    def __init__(self, token: str, *, connect: Connect) -> None:
        self._session = connect(TokenAuth(token))

    def session(self, scope: Scope, level: Level) -> Session:
        return self._session


@dataclass(frozen=True, slots=True, repr=False)
class _Lease:
    """A session with an installation token, what the redactor knows of the token, and its end."""

    session: Session
    known: str
    expires_at: datetime


class AppAccess:
    """A GitHub App. To look, a token that can only look is asked for, so looking can register and remove nothing.

    A token is for all repositories of an installation: one for each repository would cost a call for each.
    """

    def __init__(
        self, app_id: str, key: str, *, connect: Connect, clock: Callable[[], datetime], most_leases: int = MOST_LEASES
    ) -> None:
        self._connect, self._clock, self._most_leases = connect, clock, most_leases
        self._app = connect(AppAuth(app_id, key))
        self._installations: dict[str, int] = {}
        self._leases: dict[tuple[int, str, Level], _Lease] = {}
        self._lock = Lock()

    def session(self, scope: Scope, level: Level) -> Session:
        with self._lock:
            installation = self._installation(scope)
            which = (installation, scope.permission, level)
            lease = self._leases.get(which)
            if lease is None or lease.session.expelled or lease.expires_at - EARLY < self._clock():
                self._end(which)
                self._leases[which] = lease = self._begun(scope, installation, level)
            if len(self._leases) > self._most_leases:
                self._end(next(iter(self._leases)))
            return lease.session

    def forget(self) -> None:
        """Keep no token, here and in the redactor."""
        for which in list(self._leases):
            self._end(which)

    def _installation(self, scope: Scope) -> int:
        """An owner has one installation of an App (GitHub says so), so one look is enough for all of its scopes."""
        owner = scope.owner.lower()
        if owner not in self._installations:
            answer = self._app.ask(Call("GET", str(scope), f"{scope.path}/installation"), expected=(200, 404))
            _require_installed(scope, answer)
            self._installations[owner] = read(Installation, answer).id
        return self._installations[owner]

    def _begun(self, scope: Scope, installation: int, level: Level) -> _Lease:
        path, wanted = f"/app/installations/{installation}/access_tokens", {"permissions": {scope.permission: level}}
        answer = self._app.ask(Call("POST", str(scope), path, document=wanted), expected=(201, 404))
        if answer.status == 404:  # it was installed anew, or taken away
            del self._installations[scope.owner.lower()]
        _require_installed(scope, answer)
        token = read(Token, answer)
        known = token.token if len(token.token) <= 2 * KNOWN_BY else token.token[-KNOWN_BY:]
        LIVE.register(known)
        return _Lease(self._connect(TokenAuth(token.token)), known, token.expires_at)

    def _end(self, which: tuple[int, str, Level]) -> None:
        if (lease := self._leases.pop(which, None)) is not None:
            LIVE.forget(lease.known)


def _require_installed(scope: Scope, answer: Answer) -> None:
    if answer.status == 404:
        raise GithubDenied(
            "github_not_installed",
            f"The App is not installed for {scope}. Install it there, or take {scope} out.",
            request_id=answer.request_id,
        )
