"""How the stand-in runner speaks to the stand-in for GitHub: JSON there, a status and JSON back."""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from . import patience


class Refused(Exception):
    """An answer that is no good one."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def ask(server: str, path: str, authorization: str, **body: object) -> dict[str, Any]:
    """POST to `server`, its scheme and place. Raises Refused, and OSError where nobody answered."""
    parts = urlsplit(server)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=patience.ANSWER)
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    try:
        connection.request("POST", f"/_runner/{path}", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        told: dict[str, Any] = json.loads(text) if text else {}
    except (HTTPException, ValueError) as error:
        raise OSError(f"no proper answer: {type(error).__name__}") from error
    finally:
        connection.close()
    if answer.status >= 300:
        raise Refused(answer.status, str(told.get("message", "")))
    return told
