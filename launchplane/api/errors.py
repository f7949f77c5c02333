"""What goes wrong under `/v1`, as problem documents: which status belongs to which error."""

import logging
from http import HTTPStatus
from typing import Final

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from pydantic import BaseModel

from audits.errors import AuditRefused
from launchplane.access.callers import caller_of
from launchplane.changes.records import deny_of_host
from launchplane.problem_documents import ProblemDocument, problem_response
from launchplane.problems import Problem, Refused, Waits

log = logging.getLogger(__name__)

ERRORS: dict[int, type[BaseModel]] = dict.fromkeys((401, 403, 404, 422), ProblemDocument)

# by the code of a problem, where its class alone does not say it
STATUSES: Final = {
    "another_action": HTTPStatus.CONFLICT,
    "bad_key": HTTPStatus.BAD_REQUEST,
    "head_gone": HTTPStatus.CONFLICT,
    "in_flight": HTTPStatus.CONFLICT,
    "key_conflict": HTTPStatus.UNPROCESSABLE_ENTITY,
    "never_observed": HTTPStatus.NOT_FOUND,
    "no_such_kind": HTTPStatus.UNPROCESSABLE_ENTITY,
    "no_such_lane": HTTPStatus.NOT_FOUND,
    "not_permitted": HTTPStatus.FORBIDDEN,
    "scope_too_broad": HTTPStatus.UNPROCESSABLE_ENTITY,
}
# RFC 9110, section 11.6.1: a 401 says how one is let in
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="launchplane"'}
RETRY_SECONDS: Final = 5


def add_handlers(api: NinjaAPI) -> None:
    """Each error of a route becomes an answer with a code."""
    api.exception_handler(AuthenticationError)(_not_authenticated)
    api.exception_handler(Problem)(_problem)
    api.exception_handler(ValidationError)(_invalid)
    for lost in (OperationalError, InterfaceError):
        api.exception_handler(lost)(_no_database)


def status_of(problem: Problem) -> HTTPStatus:
    """By its code; else by what kind of problem it is. What is neither is about what was asked for."""
    if problem.code in STATUSES:
        return STATUSES[problem.code]
    if problem.code.startswith("no_such_"):
        return HTTPStatus.NOT_FOUND
    if isinstance(problem, AuditRefused | Waits):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.FORBIDDEN if isinstance(problem, Refused) else HTTPStatus.UNPROCESSABLE_ENTITY


def _not_authenticated(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    detail = "Send an API token or a workflow's OIDC token as the header Authorization: Bearer …, or log in."
    return problem_response(HTTPStatus.UNAUTHORIZED, detail=detail, headers=CHALLENGE)


def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Who wants what was never granted is on record."""
    if problem.code == "not_granted":
        problem = _recorded(request, problem)
    status = status_of(problem)
    wait = {"Retry-After": str(RETRY_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return problem_response(status, code=problem.code, detail=problem.sentence, headers=wait)


def _recorded(request: HttpRequest, problem: Problem) -> Problem:
    """`problem`, on record now; what is to be said instead if it cannot be."""
    by = caller_of(request).principal
    route = request.resolver_match.route if request.resolver_match else ""
    try:
        return deny_of_host("access.denied", None, problem, by=by, key=by.name, wanted=f"{request.method} /{route}")
    except AuditRefused as refused:
        return refused


def _invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0] if error.errors else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, detail=f"{where}: {first.get('msg', 'not valid')}")


def _no_database(_request: HttpRequest, error: DatabaseError) -> HttpResponse:
    # one line: while a database is started again, every request ends here
    log.error("the database did not do what a request needed: %s", " ".join(str(error).split()))
    detail = "The database does not answer. Nothing was done; try again."
    wait = {"Retry-After": str(RETRY_SECONDS)}
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, code="no_database", detail=detail, headers=wait)
