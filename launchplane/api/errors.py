"""What goes wrong under `/v1`, as problem documents."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from pydantic import BaseModel

from launchplane.problem_documents import ProblemDocument, problem_response
from launchplane.problems import Problem, Refused

ERRORS: dict[int, type[BaseModel]] = dict.fromkeys((401, 403, 404, 422), ProblemDocument)


def add_handlers(api: NinjaAPI) -> None:
    """Each error of a route becomes an answer with a code."""
    api.exception_handler(AuthenticationError)(_not_authenticated)
    api.exception_handler(Problem)(_problem)
    api.exception_handler(ValidationError)(_invalid)


def _not_authenticated(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return problem_response(HTTPStatus.UNAUTHORIZED)


def _problem(_request: HttpRequest, problem: Problem) -> HttpResponse:
    status = HTTPStatus.FORBIDDEN if isinstance(problem, Refused) else HTTPStatus.NOT_FOUND
    return problem_response(status, code=problem.code, detail=problem.sentence)


def _invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0] if error.errors else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, detail=f"{where}: {first.get('msg', 'not valid')}")
