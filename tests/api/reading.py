"""What an answer of the API says, and that an error is a problem document."""

from typing import TYPE_CHECKING, Any

from django.test import Client

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

FIELDS = ["type", "title", "status", "detail", "code"]


def problem(response: "Response") -> tuple[int, str]:
    """Status and code of an answer that must be a problem document (RFC 9457)."""
    assert response["Content-Type"] == "application/problem+json"
    document = response.json()
    assert list(document) == FIELDS
    assert document["status"] == response.status_code
    assert document["title"]
    assert document["detail"]
    return response.status_code, document["code"]


def read(client: Client, address: str, **query: Any) -> Any:
    """The JSON of a GET that succeeds."""
    response = client.get(address, query)
    assert response.status_code == 200, response.content
    assert response["Content-Type"].startswith("application/json")
    return response.json()
