"""An edit whose record cannot be stored is not stored either; whoever made it sees what to do and loses nothing."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from audits.errors import AuditRefused

UNAVAILABLE = 503
# never sent back: whoever sends the form again is asked for them again
NOT_KEPT = ("csrfmiddlewaretoken", "password")


class RefusedEdits:
    """Middleware: AuditRefused from any page becomes a page with the reason, and a button that sends the form again.

    By the time it comes here the transaction it came out of is rolled back: edits and their records share one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, AuditRefused):
            return None
        context = {"problem": exception, "typed": _typed(request), "again": request.get_full_path()}
        return render(request, "refused.html", context, status=UNAVAILABLE)


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """What the form said, field by field, but for secrets."""
    fields = ((name, value) for name, values in request.POST.lists() for value in values)
    return [(name, value) for name, value in fields if not any(part in name.lower() for part in NOT_KEPT)]
