"""Errors under `/v1` as problem documents (RFC 9457): those of the API, of its router, and of Django itself."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from pydantic import BaseModel

CONTENT_TYPE = "application/problem+json"
PREFIX = "/v1/"
# by status: the title, the code where nothing more exact is known, and what to do
KNOWN = {
    400: ("Bad request", "bad_request", "The request cannot be read."),
    401: ("Not authenticated", "not_authenticated", "Log in first."),
    403: ("Forbidden", "forbidden", "You may not do this."),
    404: ("Not found", "not_found", "There is nothing at this address. /v1/openapi.json lists those there are."),
    405: ("Method not allowed", "method_not_allowed", "This address does not take this method."),
    422: ("Not valid", "invalid", "The request is not valid."),
    500: ("Unexpected error", "unexpected", "Something went wrong here. The log has the details."),
}


class ProblemDocument(BaseModel):
    """A problem document with a stable code."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


def problem_response(status: int, *, code: str = "", detail: str = "") -> HttpResponse:
    """The answer for an error; what is not given is what is known of its status."""
    title, usual_code, usual_detail = KNOWN.get(status, ("Refused", "refused", "The request was refused."))
    document = ProblemDocument(title=title, status=status, detail=detail or usual_detail, code=code or usual_code)
    return HttpResponse(document.model_dump_json(), status=status, content_type=CONTENT_TYPE)


class ProblemDocuments:
    """Middleware: under `/v1` no error leaves as a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        ours = request.path_info.startswith(PREFIX) and response.status_code >= 400
        if not ours or response.headers.get("Content-Type") == CONTENT_TYPE:
            return response
        document = problem_response(response.status_code)
        if "Allow" in response.headers:
            document.headers["Allow"] = response.headers["Allow"]
        return document
