"""What is refused under `/v1` with a status of its own, and perhaps a time to wait."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from launchplane.problem_documents import problem_response
from launchplane.problems import Problem


class NotTaken(Problem):
    """The request was not carried out, and nothing of it is stored. `wait_seconds` is when to try again."""

    def __init__(self, status: HTTPStatus, code: str, sentence: str, *, wait_seconds: int = 0) -> None:
        super().__init__(code, sentence)
        self.status, self.wait_seconds = status, wait_seconds


def answer(_request: HttpRequest, problem: NotTaken) -> HttpResponse:
    """The problem document of it."""
    wait = {"Retry-After": str(problem.wait_seconds)} if problem.wait_seconds else None
    return problem_response(problem.status, code=problem.code, detail=problem.sentence, headers=wait)
