"""Programs that hand in evidence."""

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from django.test import Client

from launchplane.access.actions import Action
from launchplane.access.models import User
from launchplane.api import examples
from tests.access.making import a_token, bearer
from tests.factories import a_person

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

HYGIENE = "/v1/evidence/runner-host-hygiene/audits"
LANE = "/v1/evidence/runner-lane-maintainer/audits"
WRITE = (Action.HYGIENE_AUDIT_WRITE, Action.LANE_AUDIT_WRITE)
_numbers = count(1)


def planned(**fields: Any) -> dict[str, Any]:
    """The planned record of a clean-up."""
    return examples.HYGIENE | fields


def completed(**fields: Any) -> dict[str, Any]:
    """What ends `planned`."""
    more = {"status": "completed", "post_state": examples.HOST_STATE, "actual_bytes": 30_000_000_000}
    return examples.HYGIENE | more | fields


def skipped(**fields: Any) -> dict[str, Any]:
    """A clean-up that was not necessary."""
    return examples.HYGIENE | {"status": "skipped", "pre_state": None, "reason": "the disk is at 31 %"} | fields


def of_lane(**fields: Any) -> dict[str, Any]:
    """The planned record of a lane's maintenance."""
    return examples.LANE | fields


class Sender:
    """A program with a token that may hand in evidence."""

    def __init__(self, owner: User | None = None, actions: tuple[Action, ...] = WRITE, **token: Any) -> None:
        self.owner = owner or a_person(f"owner-{next(_numbers)}")
        self.token = a_token(self.owner, actions, **token)
        self._client = Client()

    def headers(self, key: str) -> dict[str, str]:
        """Who it is, and the key."""
        return bearer(self.token) | {"Idempotency-Key": key}

    def send(
        self,
        said: Any,
        *,
        to: str = HYGIENE,
        key: str | None = "",
        raw: bool = False,
        length: str | None = None,
        **more: Any,
    ) -> "Response":
        """POST `said` (`raw`: bytes as they are) with a new Idempotency-Key unless `key` is given; None: without one.

        `more` are headers; `length` is what Content-Length says instead of the truth.
        """
        body = said if raw else json.dumps(said)
        headers = bearer(self.token) if key is None else self.headers(key or f"key-{next(_numbers)}")
        content_type = more.pop("Content-Type", "application/json")
        untrue: dict[str, Any] = {} if length is None else {"CONTENT_LENGTH": length}
        return self._client.post(to, data=body, content_type=content_type, headers=headers | more, **untrue)
