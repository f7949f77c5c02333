"""The doors of `/v1`: a bearer, which counts alone where there is one, or a browser session, which may read."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja.security import SessionAuth
from ninja.security.base import AuthBase

from launchplane.access.bearer import caller_by
from launchplane.access.callers import Caller
from launchplane.access.models import User
from launchplane.access.not_let_in import NotLetIn
from launchplane.problem_documents import problem_response
from launchplane.problems import Refused

READING = ("GET", "HEAD")


class Bearer(AuthBase):
    """An API token, or the OIDC token of a trusted workflow. A bad one is 401, whatever cookie comes with it."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Caller | None:
        header = request.META.get("HTTP_AUTHORIZATION")
        return None if header is None else caller_by(header, address=str(request.META.get("REMOTE_ADDR") or ""))


class ReadingSession(SessionAuth):
    """A browser session may read. It changes nothing here, so no cross-site request can."""

    def __init__(self) -> None:
        super().__init__(csrf=False)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        user = super().authenticate(request, key)
        if not isinstance(user, User):
            return None
        if request.method not in READING:
            raise Refused("session_only_reads", "A browser session may only read here. Call with an API token.")
        return Caller.in_session(user)


def not_let_in(_request: HttpRequest, problem: NotLetIn) -> HttpResponse:
    """401 with the code of it (RFC 6750, section 3.1)."""
    challenge = f'Bearer realm="launchplane", error="invalid_token", error_description="{problem.code}"'
    answer = problem_response(HTTPStatus.UNAUTHORIZED, code=problem.code, detail=problem.sentence)
    answer.headers["WWW-Authenticate"] = challenge
    return answer
