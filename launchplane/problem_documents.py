"""Errors under `/v1` as problem documents (RFC 9457): those of the API, of its router, and of Django itself."""

from collections.abc import Callable, Mapping

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from pydantic import BaseModel

CONTENT_TYPE = "application/problem+json"
PREFIX = "/v1/"
# all that is ever answered here; which of them is the route's to say
OFFERED = ("application/json", CONTENT_TYPE, "application/x-ndjson", "text/csv")
# by status: the title, the code where nothing more exact is known, and what to do
KNOWN = {
    400: ("Bad request", "bad_request", "The request cannot be read."),
    401: ("Not authenticated", "not_authenticated", "Log in first."),
    403: ("Forbidden", "forbidden", "You may not do this."),
    404: ("Not found", "not_found", "There is nothing at this address. /v1/openapi.json lists those there are."),
    405: ("Method not allowed", "method_not_allowed", "This address does not take this method."),
    406: ("Not acceptable", "not_acceptable", f"Here are answered: {', '.join(OFFERED)}."),
    409: ("Conflict", "conflict", "This does not fit how things stand."),
    411: ("Length required", "length_required", "Say how long the body is, in the header Content-Length."),
    412: ("Precondition failed", "precondition_failed", "What If-Match names is not what is there now."),
    413: ("Content too large", "too_large", "The body is longer than what is taken here."),
    415: (
        "Unsupported media type",
        "unsupported_media_type",
        "The body has to be JSON: Content-Type: application/json.",
    ),
    422: ("Not valid", "invalid", "The request is not valid."),
    429: ("Too many requests", "too_many_requests", "Wait as long as the header Retry-After says."),
    500: ("Unexpected error", "unexpected", "Something went wrong here. The log has the details."),
    503: ("Not available", "not_available", "This cannot be done right now. Try again later."),
}


class ProblemDocument(BaseModel):
    """A problem document with a stable code."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


def problem_response(
    status: int, *, code: str = "", detail: str = "", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The answer for an error; what is not given is what is known of its status."""
    title, usual_code, usual_detail = KNOWN.get(status, ("Refused", "refused", "The request was refused."))
    document = ProblemDocument(title=title, status=status, detail=detail or usual_detail, code=code or usual_code)
    text = document.model_dump_json()
    return HttpResponse(text, status=status, content_type=CONTENT_TYPE, headers=dict(headers or {}))


class ProblemDocuments:
    """Middleware: under `/v1` no error leaves as a page, and no answer is kept by a cache on the way."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return self._get_response(request)
        response = self._answer(request)
        # what one caller may see is not for the next one
        response.headers["Cache-Control"] = "no-store"
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "HEAD":
            request.method = "GET"
            return _without_body(self._answer(request))
        if not any(request.accepts(offered) for offered in OFFERED):
            return problem_response(406)
        response = self._get_response(request)
        if response.status_code < 400 or response.headers.get("Content-Type") == CONTENT_TYPE:
            return response
        kept = {name: response.headers[name] for name in ("Allow", "Retry-After") if name in response.headers}
        return problem_response(response.status_code, headers=kept)


def _without_body(response: HttpResponseBase) -> HttpResponseBase:
    """What HEAD answers: what GET would, but for the body (RFC 9110, section 9.3.2)."""
    if isinstance(response, StreamingHttpResponse):
        # the iterator of before is closed with the response
        response.streaming_content = iter(())
    elif isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
    return response
