"""Says as Launchplane whatever a test wants, also what Launchplane never says; and keeps what was asked."""

from typing import Any

from tests.fakes.loopback import LoopbackServer, Reply, Request

AUDIENCE = "https://launchplane.example.org"
CHANGE = "9b2ad8a4-5b0c-4c39-8d4e-0d5f0c6f1a11"


def a_plan(**different: Any) -> dict[str, Any]:
    """As much of a plan's document as matters here."""
    return {
        "id": CHANGE,
        "kind": "lane.create",
        "host": "chris-testing",
        "subject": "website",
        "status": "planned",
        "started_at": None,
        "approvals": [],
        "blockers": [],
    } | different


class StandIn(LoopbackServer):
    """`says` sets the answers, one after the other, the last of them for ever; `requests` has what came."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self._replies: list[Reply] = [Reply(404)]

    @property
    def variables(self) -> dict[str, str]:
        """The repository's variables that lead here."""
        return {"LAUNCHPLANE_URL": self.url, "LAUNCHPLANE_AUDIENCE": AUDIENCE}

    def says(self, *replies: Reply) -> None:
        self._replies = list(replies)

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
