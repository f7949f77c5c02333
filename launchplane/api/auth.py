"""The doors of `/v1`."""

from django.http import HttpRequest
from ninja.security import SessionAuth

from launchplane.access.callers import Caller
from launchplane.access.models import User


class ReadingSession(SessionAuth):
    """A browser session may read. It changes nothing here, so no cross-site request can."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        user = super().authenticate(request, key)
        return Caller.in_session(user) if isinstance(user, User) and request.method in ("GET", "HEAD") else None
