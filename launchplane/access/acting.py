"""Who acts right now: set by the middleware for a page, by a command for whoever authenticated, by nobody else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

from launchplane.access.callers import Caller
from launchplane.access.models import User
from launchplane.access.people import NOBODY, Principal

_acting: ContextVar[Callable[[], Principal]] = ContextVar("acting", default=lambda: NOBODY)


def acting() -> Principal:
    """Whoever acts in this request or command; NOBODY where no person is known."""
    return _acting.get()()


@contextmanager
def acting_as(principal: Principal) -> Iterator[None]:
    """Within, what is written is written by `principal`."""
    token = _acting.set(lambda: principal)
    try:
        yield
    finally:
        _acting.reset(token)


class ActingMiddleware:
    """The person of a request acts in it. Asked only when something is written: most pages never do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _acting.set(lambda: _person_of(request))
        try:
            return self._get_response(request)
        finally:
            _acting.reset(token)


def _person_of(request: HttpRequest) -> Principal:
    """Under `/v1` whoever was let in there, whichever session came with it."""
    if isinstance(caller := getattr(request, "auth", None), Caller):
        return caller.principal
    user = getattr(request, "user", None)
    return Principal.person(user, source="web") if isinstance(user, User) else NOBODY
