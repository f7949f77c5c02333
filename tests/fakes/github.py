"""A strict stand-in for what GitHub's API has about runners: it refuses what GitHub would refuse or ignore.

An unknown address, parameter, field or method, a missing header, a page of more than 100: 400, kept in `complaints`.
Every call is in `calls`, with who made it and what it cost. Addresses are in `github_routes`.
"""

import hashlib
import json
import re
import secrets
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import jwt

from tests.fakes.github_routes import ROUTES, Handler
from tests.fakes.github_things import OWN_LABELS, Asked, Call, Credential, Finished, OneTime, Purpose, Refusal, Runner
from tests.fakes.loopback import LoopbackServer, Reply, Request
from tests.fakes.runner.package import Package

TOKEN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
# addresses that are not the API's: neither its headers nor its credentials are asked for
OPEN = ("/_runner/", "/_release-assets/", "/actions/runner/releases/")
SILENCE = timedelta(seconds=20)


class GithubServer(LoopbackServer):
    """`with GithubServer() as github:`, then `github.accept("a-token…")`; faults are put in with `github.fault`."""

    def __init__(self, bind: str = "127.0.0.1", *, prefix: str = "", tls: ssl.SSLContext | None = None) -> None:
        super().__init__(bind, tls=tls)
        self.prefix = prefix
        self.calls: list[Call] = []
        self.complaints: list[str] = []
        self.runners: dict[int, Runner] = {}
        self.credentials: dict[str, Credential] = {}
        self.one_time: dict[str, OneTime] = {}
        self.installations: dict[str, int] = {}
        self.app: tuple[str, str] | None = None
        self.deprecations: dict[str, dict[str, str | None]] = {}
        self.downloads: list[dict[str, str]] = []
        self.packages: dict[str, bytes] = {}
        self.finished: dict[int, Finished] = {}
        self.remaining = 5000
        self.ahead = timedelta()
        self._jobs: dict[int, tuple[str, set[str], str]] = {}
        self._numbers = count(1)
        self._answered = threading.Condition()

    @property
    def url(self) -> str:
        return f"{super().url}{self.prefix}"

    def now(self) -> datetime:
        """Its own clock: `ahead` lets tokens expire."""
        return datetime.now(UTC) + self.ahead

    def accept(self, token: str, **rights: Any) -> None:
        """Know a token: its fields are those of `Credential`."""
        self.credentials[token] = Credential(**{"identity": "token", **rights})

    def add_runner(self, scope: str, name: str, *labels: str, version: str = "2.337.0", **state: Any) -> Runner:
        """Register one without a token: it was there before."""
        runner = Runner(next(self._numbers), scope.lower(), name, list(labels), version, **state)
        self.runners[runner.id] = runner
        return runner

    def queue(self, scope: str, *labels: str, run: str = "true") -> int:
        """A job that waits for an online runner of that scope with these labels. Gives its number."""
        self._jobs[number := next(self._numbers)] = (scope.lower(), set(labels), run)
        return number

    def offer(self, package: Package) -> None:
        """Have a runner's package for download, as the newest and only one."""
        self.packages[package.filename] = package.content
        address = f"{self.url}/actions/runner/releases/download/v{package.version}/{package.filename}"
        self.downloads = [
            {
                "os": "linux",
                "architecture": "x64",
                "download_url": address,
                "filename": package.filename,
                "sha256_checksum": package.sha256,
            }
        ]

    def tell(self, runner: Runner, **what: object) -> None:
        """What a listener does next instead of a job: `crash=SIGNAL`, or `update="2.338.0"`.

        Its registration is deleted by `del github.runners[id]`, its version ended by `deprecations`, and its session
        taken by `take_session`.
        """
        runner.told.append(what)

    def take_session(self, runner: Runner) -> None:
        """Another process has the session from now on, and never lets it go."""
        runner.online, runner.session, runner.heard_at = True, "another", None

    def until(self, holds: Callable[[], object], *, seconds: float = 60) -> None:
        """Wait for what runners bring about. Raises TimeoutError."""
        with self._answered:
            if not self._answered.wait_for(holds, seconds):
                raise TimeoutError(f"not within {seconds:g} seconds")

    def of(self, scope: str) -> list[Runner]:
        return [runner for runner in self.runners.values() if runner.scope == scope.lower()]

    def cost(self) -> int:
        """What all calls took from the quota together."""
        return sum(call.cost for call in self.calls)

    def faulted(self, request: Request) -> None:
        self._record(request, "", 0, 0)

    def reply(self, request: Request) -> Reply:
        with self._answered:
            self._answered.notify_all()
            return self._replied(request)

    def _replied(self, request: Request) -> Reply:
        who, reply = Credential("nobody"), Reply(500)
        self._miss_the_silent()
        try:
            answer, asked = self._route(request)
            who = asked.who
            reply = self._unchanged(request, answer(self, asked))
        except Refusal as refusal:
            reply = refusal.reply
            if reply.status == 400:
                self.complaints.append(f"{request.method} {request.path}: {refusal}")
        free = reply.status == 304 or who.identity in ("nobody", "runner")
        self.remaining -= 0 if free else 1
        self._record(request, who.identity, reply.status, 0 if free else 1)
        return Reply(reply.status, reply.document, {**self._headers(), **reply.headers})

    def _route(self, request: Request) -> tuple[Handler, Asked]:
        path = request.path.removeprefix(self.prefix)
        if not request.path.startswith(self.prefix):
            raise Refusal(400, "outside of the API")
        for method, pattern, allowed, handler in ROUTES:
            if method == request.method and (match := re.fullmatch(pattern, path)):
                asked = Asked(request, match.groupdict(), _body(request), Credential("runner"))
                if set(request.parameters) - allowed:
                    raise Refusal(400, f"unknown parameters: {request.query}")
                return handler, asked if path.startswith(OPEN) else self._entered(asked)
        raise Refusal(400, "no such address or method")

    def _entered(self, asked: Asked) -> Asked:
        """With who asks, as GitHub's API demands it. Raises Refusal."""
        headers = asked.request.headers
        if headers.get("accept") != "application/vnd.github+json" or "user-agent" not in headers:
            raise Refusal(400, "Accept and User-Agent are missing")
        if headers.get("x-github-api-version") != "2022-11-28":
            raise Refusal(400, "X-GitHub-Api-Version is missing")
        who = self._identified(headers.get("authorization", ""))
        if self.remaining < 1:
            raise Refusal(403, f"API rate limit exceeded for {who.identity}.")
        self._may(who, asked)
        return Asked(asked.request, asked.groups, asked.body, who)

    def _identified(self, authorization: str) -> Credential:
        kind, _, token = authorization.partition(" ")
        if kind == "Bearer" and self.app is not None:
            try:
                jwt.decode(token, self.app[1], ["RS256"], issuer=self.app[0], options={"require": ["exp", "iat"]})
            except jwt.InvalidTokenError as error:
                raise Refusal(401, f"A JSON web token could not be decoded: {error}") from None
            return Credential("app")
        who = self.credentials.get(token) if kind == "token" else None
        if who is None or (who.expires_at and who.expires_at <= self.now()):
            raise Refusal(401, "Bad credentials")
        return who

    def _may(self, who: Credential, asked: Asked) -> None:
        path = asked.request.path.removeprefix(self.prefix)
        for_the_app = path.startswith("/app/") or path.endswith("/installation")
        if (who.identity == "app") != for_the_app:
            raise Refusal(401, "another kind of credential is needed")
        if for_the_app:
            return
        if (asked.groups["kind"] == "repos") != ("/" in asked.scope) or asked.groups["kind"] not in who.kinds:
            raise Refusal(404, "Not Found")
        if who.owners is not None and asked.scope.partition("/")[0] not in who.owners:
            raise Refusal(404, "Not Found")
        if who.level == "read" and asked.request.method != "GET":
            raise Refusal(403, "Resource not accessible by integration")

    def _miss_the_silent(self) -> None:
        """Whoever has a session and says nothing for a while is offline, and somebody else may have it."""
        for runner in self.runners.values():
            if runner.heard_at is not None and self.now() - runner.heard_at > SILENCE:
                runner.online, runner.session, runner.heard_at = False, "", None

    def _unchanged(self, request: Request, reply: Reply) -> Reply:
        """GET answers have an ETag, which varies by token."""
        if request.method != "GET" or reply.status != 200:
            return reply
        seen = request.headers.get("authorization", "").encode() + reply.encoded()
        etag = f'W/"{hashlib.sha256(seen).hexdigest()}"'
        if request.headers.get("if-none-match") == etag:
            return Reply(304, None, {"ETag": etag})
        return Reply(200, reply.document, {"ETag": etag})

    def _headers(self) -> dict[str, str]:
        reset = int((self.now() + timedelta(minutes=30)).timestamp())
        return {
            "X-GitHub-Request-Id": f"{len(self.calls):04X}:STAND:IN",
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": str(max(self.remaining, 0)),
            "X-RateLimit-Reset": str(reset),
        }

    def _record(self, request: Request, identity: str, status: int, cost: int) -> None:
        etag = request.headers.get("if-none-match", "")
        call = Call(request.method, request.path, request.query, identity, etag, status, cost, request.port)
        self.calls.append(call)

    def runner_of(self, asked: Asked) -> Runner:
        """The one that the address names. Raises Refusal."""
        runner = self.runners.get(int(asked.groups["id"]))
        if runner is None or runner.scope != asked.groups.get("scope", runner.scope).lower():
            raise Refusal(404, "Not Found")
        return runner

    def make_token(self, purpose: Purpose, scope: str) -> Reply:
        token = "".join(secrets.choice(TOKEN_LETTERS) for _ in range(29))
        self.one_time[token] = made = OneTime(purpose, scope, self.now() + timedelta(hours=1))
        return Reply(201, {"token": token, "expires_at": made.expires_at.isoformat(timespec="milliseconds")})

    def one_time_of(self, scope: str) -> list[str]:
        """Every token that was ever made for it, to register or to remove."""
        return [token for token, made in self.one_time.items() if made.scope == scope.lower()]

    def redeem(self, asked: Asked, purpose: str, scope: str | None) -> None:
        """Raises Refusal unless a live token of that purpose and scope (None: any) came along."""
        kind, _, token = asked.request.headers.get("authorization", "").partition(" ")
        held = self.one_time.get(token)
        good = kind == "RemoteAuth" and held and held.purpose == purpose and held.scope == (scope or held.scope)
        if not good or held is None or held.expires_at <= self.now():
            raise Refusal(404, "Not Found")

    def take_job(self, runner: Runner) -> tuple[int, str] | None:
        """The first job that waits for such a runner."""
        able = {label.lower() for label in (*OWN_LABELS, *runner.labels)}
        for number, (scope, labels, run) in self._jobs.items():
            if scope == runner.scope and {label.lower() for label in labels} <= able:
                del self._jobs[number]
                runner.job = number
                return number, run
        return None


def _body(request: Request) -> dict[str, Any]:
    if not request.body:
        return {}
    if request.method == "GET":
        raise Refusal(400, "a GET has no body")
    if request.headers.get("content-type") != "application/json":
        raise Refusal(400, "Content-Type must be application/json")
    body = json.loads(request.body)
    if not isinstance(body, dict):
        raise Refusal(400, "the body must be an object")
    return body
