"""What is refused under `/v1` with a status of its own, and perhaps a time to wait."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from pydantic import ValidationError

from audits.kept import kept
from launchplane.problem_documents import problem_response
from launchplane.problems import Problem


class NotTaken(Problem):
    """The request was not carried out, and nothing of it is stored. `wait_seconds` is when to try again."""

    def __init__(self, status: HTTPStatus, code: str, sentence: str, *, wait_seconds: int = 0) -> None:
        super().__init__(code, sentence)
        self.status, self.wait_seconds = status, wait_seconds


def invalid(error: ValidationError) -> NotTaken:
    """The first thing that is wrong with a body, and where. Names in it are the caller's, so they are redacted."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    sentence = kept(f"{where}: {first['msg']}" if where else first["msg"])
    return NotTaken(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", sentence)


def answer(_request: HttpRequest, problem: NotTaken) -> HttpResponse:
    """The problem document of it."""
    wait = {"Retry-After": str(problem.wait_seconds)} if problem.wait_seconds else None
    return problem_response(problem.status, code=problem.code, detail=problem.sentence, headers=wait)
