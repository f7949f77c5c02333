"""Registration and remove tokens, while they are held: known to the redactor, and shown by nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NoReturn

from audits.redact import LIVE
from lanes.github.parse import Token


class OneTimeToken:
    """Good for one scope until `expires_at` (an hour). Only `reveal` gives the value, and only while it is held."""

    __slots__ = ("_value", "expires_at", "request_id")

    def __init__(self, token: Token, *, request_id: str) -> None:
        self._value: str | None = token.token
        self.expires_at: datetime = token.expires_at
        self.request_id = request_id

    def reveal(self) -> str:
        """The value, to hand to the runner's program on its standard input. Raises RuntimeError after `held`."""
        if self._value is None:
            raise RuntimeError("this token is not held any more")
        return self._value

    def forget(self) -> None:
        """From now on it cannot be revealed."""
        self._value = None

    def __repr__(self) -> str:
        return f"<token until {self.expires_at.isoformat()}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not stored")


@contextmanager
def held(token: Token, *, request_id: str) -> Iterator[OneTimeToken]:
    """Within, the token can be revealed, and whatever is recorded or logged is cleared of it."""
    with LIVE.holding(token.token):
        mine = OneTimeToken(token, request_id=request_id)
        try:
            yield mine
        finally:
            mine.forget()
